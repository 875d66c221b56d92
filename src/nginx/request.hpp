// What a request carries of ours from phase to phase; in the request's pool.
#pragma once

#include "nginx/ngx.hpp"

#include <optional>
#include <string>
#include <vector>

#include "auth/jwt.hpp"
#include "auth/permissions.hpp"
#include "base/counters.hpp"
#include "nginx/conf.hpp"
#include "nginx/inner_request.hpp"
#include "session/session.hpp"
#include "ws/handshake.hpp"

namespace paperboy::nginx {

class Connection;
class Stream;

/// Why a request is refused, for its answer, the log and the counters.
struct Refusal {
  ngx_int_t status = 0;  // 0: it isn't
  Bytes error;           // the stable name in the JSON answer
  std::string message;
  Counter counter = Counter::refused_method;
  bool noted = false;  // logged and counted
};

/// Who asks, as far as a token or a back end says.
struct Identity {
  bool token = false;      // a good one was shown
  bool answered = false;   // a back end has let it in
  bool granted = false;    // and has said what it may: `grants` are its
  auth::TokenMark mark;    // of the token
  auth::Allowance limits;  // of both
  std::string user;
  std::string info;          // JSON, for others to see; empty: none
  std::int64_t expires = 0;  // seconds since 1970; 0: never
  auth::Grants grants;
  std::vector<auth::ServerSubscription> subscriptions;
  std::optional<session::Ruling> ruling;  // of that back end
};

struct Request {
  bool checked = false;  // the access phase let it through
  bool limited = false;  // it counts in its limits
  Identity identity;
  Kept* question = nullptr;  // to a back end that has yet to answer
  Refusal refusal;
  std::string body;  // of the refusal
  bool body_sent = false;
  std::vector<std::string> channels;   // names, as the location gave them
  std::optional<ws::Upgrade> upgrade;  // of a good handshake
  session::Admission admission;
  Connection* connection = nullptr;  // until the take-over
  Stream* stream = nullptr;          // of events

  /// The request's; made where there is none. Null: no memory.
  static Request* of(ngx_http_request_t* r);
  /// Null: there is none.
  static Request* find(ngx_http_request_t* r);
};

/// Notes the refusal and returns its status, for a handler to return. Under
/// `satisfy any` a 401 or 403 is not the last word: it is noted when it becomes
/// the answer, or at the request's end where it was not withdrawn.
ngx_int_t refuse(ngx_http_request_t* r, Request& request, ngx_int_t status,
                 Counter counter, Bytes error, Bytes message);

/// NGX_OK: it is GET or HEAD; else its refusal, for a handler to return.
ngx_int_t require_get(ngx_http_request_t* r, Request& request);

/// One line in the error log, and a count. Once a refusal.
void note(ngx_http_request_t* r, Refusal& refusal);

/// What a client chose, for a log: a line stays one.
std::string printable(ngx_str_t text);

/// The value for this request; empty where it can't be had.
Bytes evaluate(ngx_http_request_t* r, Value value);

/// The channels that the location names for this request, each once. Empty
/// values are left out.
std::vector<std::string> named_channels(ngx_http_request_t* r,
                                        const LocationConf& conf);

/// The same, good for as long as the request.
std::vector<Bytes> channel_values(ngx_http_request_t* r,
                                  const LocationConf& conf);

/// All header fields of the request, in order.
std::vector<ws::HeaderField> all_headers(ngx_http_request_t* r);

/// Those with that name.
std::vector<Bytes> header_values(ngx_http_request_t* r, Bytes name);

/// The first field of that name; none: there is none.
std::optional<Bytes> header_value(ngx_http_request_t* r, Bytes name);

/// The argument of that name in the URL, unescaped; none: there is none.
std::optional<std::string> argument(ngx_http_request_t* r, Bytes name);

/// Adds a field to the answer; false: no memory. `name` is static.
bool add_header(ngx_http_request_t* r, Bytes name, Bytes value);

/// Answers `status` with `body`; for a handler to return.
ngx_int_t answer(ngx_http_request_t* r, ngx_uint_t status, Bytes type,
                 Bytes body);

}  // namespace paperboy::nginx
