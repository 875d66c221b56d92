// Requests of a worker's own (inner_request.hpp) that are wanted amid a turn,
// where nothing may begin that could lead back to its clients: they begin in
// the next, and their answers come in turns of their own.
//
// One a worker, on its event loop.
#pragma once

#include "nginx/ngx.hpp"

#include <functional>
#include <string>
#include <vector>

#include "nginx/inner_request.hpp"

namespace paperboy::nginx {

struct Errand {
  ngx_http_conf_ctx_t* server;  // in whose locations `uri` is
  std::string uri;
  std::string json;  // that is posted
  std::size_t max_size = 0;
  ngx_msec_t timeout = 0;
  InnerRequest::Handler handler;  // called once, unless the worker ends
};

class Errands {
 public:
  Errands();
  ~Errands();
  Errands(const Errands&) = delete;
  Errands& operator=(const Errands&) = delete;

  void add(Errand errand);

  /// Calls `what` in the next turn of the loop.
  void later(std::function<void()> what);

 private:
  static void on_begin(ngx_event_t* event);

  ngx_event_t begin_{};
  std::vector<std::function<void()>> waiting_;
};

}  // namespace paperboy::nginx
