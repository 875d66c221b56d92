#include "nginx/asked.hpp"

namespace paperboy::nginx {

std::shared_ptr<Asked> Asked::begin(ngx_http_request_t* r) {
  auto* const asked = make_in_pool<std::shared_ptr<Asked>>(r->pool);
  if (asked == nullptr) return nullptr;
  ngx_http_cleanup_t* const cleanup = ngx_http_cleanup_add(r, 0);
  if (cleanup == nullptr) return nullptr;
  *asked = std::shared_ptr<Asked>(new Asked(r));
  cleanup->data = asked;
  cleanup->handler = on_end;
  return *asked;
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
