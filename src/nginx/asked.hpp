// A request whose answer depends on others, and may come at once or later. It
// may end before; then nobody is answered.
#pragma once

#include "nginx/ngx.hpp"

#include <memory>

namespace paperboy::nginx {

class Asked {
 public:
  /// Hears of the request's end. Null: no memory.
  static std::shared_ptr<Asked> begin(ngx_http_request_t* r);

  /// `answer(r)` sends it; its status is the request's. Once.
  template <typename Answer>
  void give(Answer&& answer) {
    if (r_ == nullptr) return;
    status_ = answer(r_);
    if (waiting_) end();
  }

  /// What its handler returns, or finalizes it with: NGX_DONE where the answer
  /// has yet to come.
  [[nodiscard]] ngx_int_t wait() {
    waiting_ = true;
    return status_;
  }

 private:
  explicit Asked(ngx_http_request_t* r) : r_(r) {}
  static void on_end(void* data);
  void end();

  ngx_http_request_t* r_;  // null: it has ended
  bool waiting_ = false;   // its handler has returned
  ngx_int_t status_ = NGX_DONE;
};

}  // namespace paperboy::nginx
