// A request whose answer depends on others, and may come at once or later. It
// may end before; then nobody is answered.
#pragma once

#include "nginx/ngx.hpp"

#include <memory>

namespace paperboy::nginx {

class Asked {
 public:
  /// See begin.
  explicit Asked(ngx_http_request_t* r) : r_(r) {}

  /// `T`: with what is needed until then. Hears of the request's end. Null: no
  /// memory.
  template <typename T = Asked>
  static std::shared_ptr<T> begin(ngx_http_request_t* r) {
    auto asked = std::make_shared<T>(r);
    if (!listen(r, asked)) return nullptr;
    return asked;
  }

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
  static bool listen(ngx_http_request_t* r, std::shared_ptr<Asked> asked);
  static void on_end(void* data);
  void end();

  ngx_http_request_t* r_;  // null: it has ended
  bool waiting_ = false;   // its handler has returned
  ngx_int_t status_ = NGX_DONE;
};

}  // namespace paperboy::nginx
