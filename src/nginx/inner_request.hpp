// A GET or POST of an internal location that no client asked for: the worker
// itself wants its answer, now and then, and goes on meanwhile.
//
// nginx knows subrequests only of a client's request. So there is one of a
// connection to ourselves, a pair of sockets on which nothing is ever said, as
// main request that does nothing but wait; what its subrequest answers is kept
// from the way to the client.
#pragma once

#include "nginx/ngx.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace paperboy::nginx {

struct InnerAnswer {
  bool complete = false;  // all of it came, and `body` is within the limit
  bool too_large = false;
  ngx_uint_t status = 0;  // 0: there was none
  std::string body;
  std::string authenticate{};  // its WWW-Authenticate; empty: none
};

/// What a subrequest answers, as it comes; in the pool of the main request.
struct Kept {
  InnerAnswer answer;
  std::size_t max_size = 0;
  bool drains = false;     // what is too much is thrown away, not an error
  bool last = false;       // the end of the answer has come
  bool finished = false;   // and that of the subrequest
  bool succeeded = false;  // nginx is content with it

  [[nodiscard]] bool complete() const;
};

/// Begins a subrequest of a client's request, which goes on when that has
/// finished; `kept` is in the request's pool. False: no memory.
[[nodiscard]] bool keep_subrequest(ngx_http_request_t* r, Bytes uri,
                                   Kept& kept);

class InnerRequest {
 public:
  using Handler = std::function<void(InnerAnswer)>;

  struct Wish {
    ngx_http_conf_ctx_t* server;  // in whose locations `uri` is
    Bytes uri;                    // from "/" on, perhaps with arguments
    std::size_t max_size;         // bytes of the answer
    ngx_msec_t timeout;           // for all of it
    Bytes json{};                 // that is posted; empty: it is a GET
  };

  /// Calls `handler` once, perhaps before this returns, unless the worker ends.
  static void start(const Wish& wish, Handler handler);
};

/// Puts the filters before the others that keep answers from the connection.
void install_inner_filters();

}  // namespace paperboy::nginx
