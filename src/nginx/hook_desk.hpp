// What a worker has to tell to applications (paperboy_hook): for each of them
// what waits, and a request of the worker's own that posts it, one after the
// other. Nobody waits for that.
//
// A worker that is to leave stays until all is told, or until a post fails:
// then what it has is lost. One that is stopped, or killed, tells no more.
//
// One a worker, on its event loop.
#pragma once

#include "nginx/ngx.hpp"

#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "backend/hook_queue.hpp"
#include "base/counters.hpp"
#include "broker/shm_types.hpp"
#include "nginx/hook_conf.hpp"
#include "nginx/inner_request.hpp"

namespace paperboy::nginx {

/// To one application.
class HookLine : public std::enable_shared_from_this<HookLine> {
 public:
  /// `counters` must outlive this.
  HookLine(std::shared_ptr<const HookConf> conf, Counters& counters);
  HookLine(const HookLine&) = delete;
  HookLine& operator=(const HookLine&) = delete;
  ~HookLine();

  void add(std::string event);

  /// Sets the timer for what is posted next.
  void arm();

 private:
  static void on_due(ngx_event_t* event);
  void post();
  void on_answer(const InnerAnswer& answer);
  void on_failure(const InnerAnswer& answer);
  void count_lost(std::size_t events);

  const std::shared_ptr<const HookConf> conf_;
  Counters& counters_;
  backend::HookQueue queue_;
  ngx_event_t due_{};
  bool failing_ = false;  // the last post did: told once
  bool losing_ = false;   // events were lost since then: told once
};

class HookDesk {
 public:
  /// `counters` must outlive this.
  explicit HookDesk(Counters& counters) : counters_(counters) {}

  void add(const HookConf& conf, std::string event);

  /// Once a second: who leaves doesn't wait for more.
  void tick();

 private:
  Counters& counters_;
  std::unordered_map<const HookConf*, std::shared_ptr<HookLine>> lines_;
};

/// Tells which channels have got their first subscriber, and lost their last,
/// as the worker's zone finds that.
class ChannelHooks final : public broker::shm::Watcher {
 public:
  /// `desk` must outlive this.
  ChannelHooks(std::vector<ChannelHook> hooks, HookDesk& desk)
      : hooks_(std::move(hooks)), desk_(desk) {}

  /// Null: nobody wants to know.
  [[nodiscard]] broker::shm::Watcher* watcher() {
    return hooks_.empty() ? nullptr : this;
  }

  void changed(const broker::shm::Change& change) noexcept override;

 private:
  const std::vector<ChannelHook> hooks_;
  HookDesk& desk_;
};

}  // namespace paperboy::nginx
