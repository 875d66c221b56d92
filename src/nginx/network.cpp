#include "nginx/network.hpp"

#include <openssl/rand.h>

#include <array>

#include "nginx/wire.hpp"
#include "nginx/worker.hpp"

namespace paperboy::nginx {

namespace {

using broker::redis::LogLevel;

class NginxAlarm final : public broker::redis::Alarm {
 public:
  NginxAlarm(Worker& worker, std::function<void()> ring, bool holds)
      : worker_(worker),
        ring_(std::make_shared<const std::function<void()>>(std::move(ring))) {
    event_.handler = callback<on_ring>;
    event_.data = this;
    event_.log = const_cast<ngx_log_t*>(ngx_cycle->log);
    event_.cancelable = holds ? 0 : 1;
  }
  ~NginxAlarm() override { cancel(); }

  /// nginx moves a timer that is set only where that is worth it.
  void set(std::uint64_t delay_ms) override {
    cancel();
    ngx_add_timer(&event_, delay_ms);
  }
  void cancel() override {
    if (event_.timer_set != 0) ngx_del_timer(&event_);
  }
  [[nodiscard]] bool is_set() const override { return event_.timer_set != 0; }

 private:
  static void on_ring(ngx_event_t* event) {
    auto& self = *static_cast<NginxAlarm*>(event->data);
    const Turn turn(self.worker_);
    // It may be destroyed by what it does.
    const auto ring = self.ring_;
    (*ring)();
  }

  Worker& worker_;
  std::shared_ptr<const std::function<void()>> ring_;
  ngx_event_t event_{};
};

ngx_uint_t nginx_level(LogLevel level) {
  switch (level) {
    case LogLevel::info:
      return NGX_LOG_NOTICE;
    case LogLevel::warning:
      return NGX_LOG_WARN;
    case LogLevel::error:
      break;
  }
  return NGX_LOG_ERR;
}

}  // namespace

std::unique_ptr<broker::redis::Wire> NginxNetwork::connect(
    const broker::redis::Server& server, broker::redis::WireEvents& events) {
  return std::make_unique<NginxWire>(worker_, conf_, server, events);
}

std::unique_ptr<broker::redis::Alarm> NginxNetwork::alarm(
    std::function<void()> ring, bool holds) {
  return std::make_unique<NginxAlarm>(worker_, std::move(ring), holds);
}

const Clock& NginxNetwork::clock() const { return worker_clock(); }

/// nginx's own for want of better: workers begin it with their pids.
std::uint64_t NginxNetwork::random() {
  std::uint64_t number;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&number), sizeof number) !=
      1) {
    number = static_cast<std::uint64_t>(ngx_random()) << 32 ^
             static_cast<std::uint64_t>(ngx_random());
  }
  return number;
}

void NginxNetwork::log(LogLevel level, Bytes text) {
  const ngx_str_t name = borrow(name_);
  const ngx_str_t line = borrow(text);
  ngx_log_error(nginx_level(level), ngx_cycle->log, 0, "%V: %V", &name, &line);
}

}  // namespace paperboy::nginx
