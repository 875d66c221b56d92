// What back ends ask for over the HTTP API, whose forms are those of
// Centrifugo's (internal/apiproto/api.proto): its text, read into commands.
// Pure; data borrows from the text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "base/history.hpp"
#include "base/publication.hpp"
#include "base/result.hpp"
#include "hub/order.hpp"
#include "hub/revoker.hpp"
#include "hub/tokens.hpp"

namespace paperboy::api {

/// The same message to one channel or to several.
struct Publish {
  std::vector<std::string> channels;
  Kind kind = Kind::text;
  Bytes data;           // of the text, or in `decoded`
  std::string decoded;  // what came in base64
  std::string extra;    // see Publication
  std::string idempotency_key;
  bool passing = false;    // not kept
  bool broadcast = false;  // answered channel by channel

  [[nodiscard]] Bytes message() const {
    return kind == Kind::binary ? Bytes(decoded) : data;
  }
};

/// For clients. Its channel is a name, and its namespace missing.
struct Instruct {
  hub::Order order;
};

/// Of tokens. Its channel is a name, and its namespace missing.
struct Revoke {
  hub::Revoker::Wish wish;
};

/// An opaque one. Its namespace is missing.
struct CreateToken {
  hub::TokenWish wish;
};

struct EndToken {
  std::string token;  // or its id
};

struct Presence {
  std::string channel;
  bool stats = false;  // only how many
};

struct History {
  std::string channel;
  HistoryQuery query;
};

struct RemoveHistory {
  std::string channel;
};

/// The channels that somebody is subscribed to.
struct Channels {
  std::string pattern;  // empty: all
};

struct Info {};

/// What can't be had is answered so.
struct Refused {
  ErrorCode code;
};

using Command =
    std::variant<Publish, Instruct, Revoke, CreateToken, EndToken, Presence,
                 History, RemoveHistory, Channels, Info, Refused>;

struct Call {
  Bytes method{};  // static; empty: there is none such
  Command command = Info{};
  std::uint32_t id = 0;  // of the old form; 0: none
};

struct Request {
  enum class Form : std::uint8_t {
    method,  // one command, whose method the URL names
    batch,   // several
    lines,   // the old form: each names its method
  };

  Form form = Form::method;
  std::vector<Call> calls;
  bool parallel = false;  // all may be done at once

  /// What its calls cost, in commands: each channel of a broadcast is one.
  [[nodiscard]] std::size_t weight() const;
};

/// The text of the body that can't be read, and why.
struct Malformed {
  std::string why;
};

/// Whether the URL may name it, `batch` included.
[[nodiscard]] bool is_method(Bytes name);

/// `method`: of the URL; empty: the old form. REQUIRES: is_method(method), or
/// it is empty. `body` must outlive the request.
[[nodiscard]] Result<Request, Malformed> read_request(Bytes method, Bytes body);

}  // namespace paperboy::api
