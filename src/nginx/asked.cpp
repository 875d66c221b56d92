#include "nginx/asked.hpp"

#include <utility>

namespace paperboy::nginx {

bool Asked::listen(ngx_http_request_t* r, std::shared_ptr<Asked> asked) {
  auto* const kept =
      make_in_pool<std::shared_ptr<Asked>>(r->pool, std::move(asked));
  if (kept == nullptr) return false;
  ngx_http_cleanup_t* const cleanup = ngx_http_cleanup_add(r, 0);
  if (cleanup == nullptr) return false;
  cleanup->data = kept;
  cleanup->handler = on_end;
  return true;
}

void Asked::on_end(void* data) {
  (*static_cast<std::shared_ptr<Asked>*>(data))->r_ = nullptr;
}

void Asked::end() {
  ngx_connection_t* const c = r_->connection;
  ngx_http_finalize_request(r_, status_);
  ngx_http_run_posted_requests(c);
}

}  // namespace paperboy::nginx
