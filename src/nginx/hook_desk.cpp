#include "nginx/hook_desk.hpp"

#include <algorithm>
#include <utility>

#include "hub/key.hpp"
#include "nginx/hook_event.hpp"
#include "nginx/worker.hpp"

namespace paperboy::nginx {

namespace {

// Of an answer, which isn't read.
constexpr std::size_t kMaxAnswer = 64UL * 1024;

// A worker that leaves has so long for its last post.
constexpr ngx_msec_t kLastTimeout = 3000;

bool is_good(const InnerAnswer& answer) {
  return answer.status >= 200 && answer.status < 300;
}

}  // namespace

void HookConf::tell(const Told& what) const noexcept {
  Worker* const worker = Worker::current();
  if (worker == nullptr) return;
  try {
    worker->hooks().add(*this, event_text(what));
  } catch (...) {
    log_exception();
  }
}

void ChannelHooks::changed(const broker::shm::Change& change) noexcept {
  const Bytes space = hub::channel_namespace(change.name);
  try {
    std::string text;  // once for all
    for (const ChannelHook& one : hooks_) {
      const bool told =
          one.hook->wants_change(change.subscribed) && one.covers(space);
      if (told && text.empty()) text = event_text(change);
      if (told) desk_.add(*one.hook, text);
    }
  } catch (...) {
    log_exception();
  }
}

HookLine::HookLine(std::shared_ptr<const HookConf> conf, Counters& counters)
    : conf_(std::move(conf)), counters_(counters), queue_(conf_->queue) {
  due_.handler = callback<on_due>;
  due_.data = this;
  due_.log = const_cast<ngx_log_t*>(ngx_cycle->log);
}

HookLine::~HookLine() {
  if (due_.timer_set != 0) ngx_del_timer(&due_);
}

void HookLine::add(std::string event) {
  counters_.add(Counter::hook_waiting);
  count_lost(queue_.add(std::move(event), worker_clock().monotonic_ms()));
  arm();
}

/// Not cancelable: it keeps a worker that leaves until it is done.
void HookLine::arm() {
  const auto due = queue_.due();
  if (!due) return;
  const std::uint64_t now = worker_clock().monotonic_ms();
  const bool at_once = ngx_exiting != 0 || *due <= now;
  if (due_.timer_set != 0) {
    if (!at_once) return;
    ngx_del_timer(&due_);
  }
  ngx_add_timer(&due_, at_once ? 0 : *due - now);
}

void HookLine::on_due(ngx_event_t* event) {
  static_cast<HookLine*>(event->data)->post();
}

void HookLine::post() {
  if (!queue_.due()) return;
  const auto& cycle = const_cast<const ngx_cycle_t&>(*ngx_cycle);
  const std::string text = queue_.take(bytes(cycle.hostname));
  InnerRequest::start(
      {.server = conf_->server,
       .uri = conf_->uri,
       .max_size = kMaxAnswer,
       .timeout = ngx_exiting != 0 ? std::min(conf_->timeout_ms, kLastTimeout)
                                   : conf_->timeout_ms,
       .json = text},
      [self = weak_from_this()](const InnerAnswer& answer) {
        const auto here = self.lock();
        if (here) here->on_answer(answer);
      });
}

void HookLine::on_answer(const InnerAnswer& answer) {
  if (is_good(answer)) {
    const std::size_t taken = queue_.accepted();
    counters_.add(Counter::hook_events, taken);
    counters_.subtract(Counter::hook_waiting, taken);
    failing_ = losing_ = false;
  } else {
    on_failure(answer);
  }
  arm();
}

void HookLine::on_failure(const InnerAnswer& answer) {
  counters_.add(Counter::hook_posts_failed);
  if (!std::exchange(failing_, true)) {
    const std::string why = answer.status == 0
                                ? "doesn't answer"
                                : "answers " + std::to_string(answer.status);
    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "paperboy_hook \"%s\": the application %s; %uz events wait",
                  conf_->uri.c_str(), why.c_str(), queue_.size());
  }
  count_lost(queue_.refused(worker_clock().monotonic_ms()));
  if (ngx_exiting != 0) count_lost(queue_.give_up());
}

void HookLine::count_lost(std::size_t events) {
  if (events == 0) return;
  counters_.add(Counter::hook_events_lost, events);
  counters_.subtract(Counter::hook_waiting, events);
  if (std::exchange(losing_, true)) return;
  ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                "paperboy_hook \"%s\": events are lost, since the application "
                "doesn't take them",
                conf_->uri.c_str());
}

void HookDesk::add(const HookConf& conf, std::string event) {
  auto& line = lines_[&conf];
  if (!line) {
    line = std::make_shared<HookLine>(conf.shared_from_this(), counters_);
  }
  line->add(std::move(event));
}

void HookDesk::tick() {
  if (ngx_exiting == 0) return;
  for (const auto& [conf, line] : lines_) line->arm();
}

}  // namespace paperboy::nginx
