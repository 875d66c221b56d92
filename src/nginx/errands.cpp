#include "nginx/errands.hpp"

#include <utility>

namespace paperboy::nginx {

Errands::Errands() {
  begin_.handler = callback<on_begin>;
  begin_.data = this;
  begin_.log = const_cast<ngx_log_t*>(ngx_cycle->log);
}

Errands::~Errands() {
  if (begin_.posted != 0) {
    ngx_delete_posted_event(&begin_);
  }
}

void Errands::add(Errand errand) {
  later([one = std::move(errand)] {
    InnerRequest::start({.server = one.server,
                         .uri = one.uri,
                         .max_size = one.max_size,
                         .timeout = one.timeout,
                         .json = one.json},
                        one.handler);
  });
}

void Errands::later(std::function<void()> what) {
  waiting_.push_back(std::move(what));
  ngx_post_event(&begin_, &ngx_posted_next_events);
}

void Errands::on_begin(ngx_event_t* event) {
  auto& self = *static_cast<Errands*>(event->data);
  for (const auto& one : std::exchange(self.waiting_, {})) one();
}

}  // namespace paperboy::nginx
