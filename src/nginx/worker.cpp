#include "nginx/worker.hpp"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "broker/redis_broker.hpp"
#include "broker/redis_engines.hpp"
#include "broker/redis_presence.hpp"
#include "broker/shm_broker.hpp"
#include "broker/shm_presence.hpp"
#include "nginx/classic_desk.hpp"
#include "nginx/clients.hpp"
#include "nginx/connection.hpp"
#include "nginx/embedded_desk.hpp"
#include "nginx/kin.hpp"
#include "nginx/limit_zone.hpp"
#include "nginx/redis_node.hpp"
#include "nginx/zone.hpp"
#include "nginx/zone_node.hpp"

namespace paperboy::nginx {

namespace {

constexpr ngx_msec_t kTick = 1000;

std::unique_ptr<Worker> the_worker;

class NginxClock final : public Clock {
 public:
  [[nodiscard]] std::uint64_t monotonic_ms() const override {
    return ngx_current_msec;
  }
  [[nodiscard]] std::int64_t unix_seconds() const override {
    return ngx_time();
  }
};

void ring(broker::shm::SeatIndex seat) {
  const std::uint64_t one = 1;
  // It can only fail with a full counter: then it wakes all the same.
  [[maybe_unused]] const auto n = ::write(wakeup(seat), &one, sizeof one);
}

class EventfdWaker final : public broker::shm::Waker {
 public:
  void wake(broker::shm::SeatIndex seat) override {
    Worker* const here = Worker::current();
    if (here != nullptr) {
      here->wake(seat);
    } else {
      ring(seat);
    }
  }
};

class NoWaker final : public broker::shm::Waker {
 public:
  void wake(broker::shm::SeatIndex) override {}
};

EventfdWaker eventfd_waker;

/// By a new master with a zone of its own.
bool taken_over() {
  const auto* const pid = successor();
  return pid != nullptr && pid->load(std::memory_order_relaxed) != 0;
}

}  // namespace

const Clock& worker_clock() {
  static const NginxClock clock;
  return clock;
}

broker::shm::Waker& no_waker() {
  static NoWaker waker;
  return waker;
}

Worker* Worker::current() { return the_worker.get(); }

Worker::Worker(broker::shm::Zone zone, broker::shm::SeatIndex seat,
               const MainConf& main)
    : zone_(std::move(zone)),
      seat_(seat),
      counters_(zone_.counters(seat)),
      limits_(limit_memory(main), counters_),
      rules_(main.rules),
      network_(main.redis ? std::make_unique<NginxNetwork>(*this, *main.redis,
                                                           "paperboy_redis")
                          : nullptr),
      broker_(make_broker(main)),
      presence_(make_presence()),
      hub_(*broker_, *presence_, rules_),
      wheel_(worker_clock().monotonic_ms(), session::Link::on_due),
      liaisons_(hub_, worker_clock()),
      context_{hub_, wheel_, worker_clock(), counters_, codecs_, liaisons_},
      leave_(*this),
      desk_(*this, hub_),
      hooks_(counters_),
      channel_hooks_(main.channel_hooks, hooks_),
      revocations_(hub_, desk_, main),
      tokens_(hub_, desk_, main),
      node_(make_node(main)),
      hears_notices_(main.classic_in_use) {
  context_.revocations = revocations_.all();
  zone_.watch(channel_hooks_.watcher());
  context_.tokens = tokens_.keeper();
  if (main.classic) {
    classic_ = std::make_unique<ClassicDesk>(*this, *main.classic,
                                             network_ != nullptr);
    liaisons_.set_back_end(&classic_->back_end());
  } else if (main.has_back_end()) {
    embedded_ = std::make_unique<EmbeddedDesk>(*this, *main.embedded);
    liaisons_.set_back_end(&embedded_->back_end());
  }
}

/// Nothing is posted any more: what its end changes, others find.
Worker::~Worker() { zone_.stop_watching(); }

std::unique_ptr<hub::Broker> Worker::make_broker(const MainConf& main) {
  const auto keep = [this](auto made) {
    tick_broker_ = [broker = made.get()] { broker->tick(); };
    return std::unique_ptr<hub::Broker>(std::move(made));
  };
  if (!main.redis) {
    return keep(std::make_unique<broker::ShmBroker>(zone_, seat_, successor()));
  }
  // Of a binary upgrade's two masters both are heard through Redis.
  const auto& options = main.redis->options;
  auto made = std::make_unique<broker::RedisBroker>(
      zone_, seat_, rules_, options, *network_,
      broker::redis::make_engine(*network_, options), counters_);
  redis_broker_ = made.get();
  return keep(std::move(made));
}

std::unique_ptr<hub::Presence> Worker::make_presence() {
  if (redis_broker_ == nullptr) {
    auto made = std::make_unique<broker::ShmPresence>(zone_, seat_);
    tick_presence_ = [presence = made.get()] { presence->tick(); };
    return made;
  }
  auto made = std::make_unique<broker::RedisPresence>(
      *redis_broker_, redis_broker_->engine(), redis_broker_->store(),
      *network_);
  redis_broker_->on_shard_up([presence = made.get()](broker::redis::Shard up) {
    presence->on_up(up);
  });
  redis_presence_ = made.get();
  tick_presence_ = [] {};
  return made;
}

std::unique_ptr<api::Node> Worker::make_node(const MainConf& main) {
  if (redis_broker_ == nullptr) return std::make_unique<ZoneNode>(*this);
  auto made = std::make_unique<RedisNode>(*this, hub_, *redis_broker_,
                                          redis_presence_->lease(),
                                          main.redis->options.timeout_ms);
  redis_node_ = made.get();
  return made;
}

ngx_int_t Worker::init_process(ngx_cycle_t* cycle) {
  keep_from_exec();
  const bool serves =
      ngx_process == NGX_PROCESS_WORKER || ngx_process == NGX_PROCESS_SINGLE;
  if (!serves || the_worker || zone_memory().empty()) return NGX_OK;
  stay();
  take_seat(cycle);
  return NGX_OK;
}

/// Seats come free when workers of earlier generations leave: one without is
/// tried again every second.
void Worker::take_seat(ngx_cycle_t* cycle) {
  static ngx_event_t again;
  auto zone =
      broker::shm::Zone::attach(zone_memory(), worker_clock(), eventfd_waker);
  if (!zone) {
    const ngx_str_t why = borrow(zone.error().message);
    ngx_log_error(NGX_LOG_ALERT, cycle->log, 0, "paperboy_zone: %V", &why);
    return;
  }
  const auto seat = zone->claim_seat();
  if (seat) {
    const auto& main = *static_cast<MainConf*>(
        ngx_http_cycle_get_module_main_conf(cycle, ngx_http_paperboy_module));
    the_worker.reset(new Worker(std::move(zone.value()), *seat, main));
    if (!the_worker->listen(cycle)) the_worker.reset();
    return;
  }
  if (again.handler == nullptr) {
    const ngx_str_t why = borrow(seat.error().message);
    ngx_log_error(NGX_LOG_ALERT, cycle->log, 0,
                  "paperboy_zone: no seat for this worker, which answers 503 "
                  "until it has one: %V",
                  &why);
  }
  again.handler = callback<on_take_seat>;
  again.data = cycle;
  again.log = cycle->log;
  again.cancelable = 1;
  ngx_add_timer(&again, kTick);
}

void Worker::on_take_seat(ngx_event_t* event) {
  take_seat(static_cast<ngx_cycle_t*>(event->data));
}

void Worker::exit_process(ngx_cycle_t*) {
  if (!the_worker) return;
  the_worker->zone_.stop_watching();
  the_worker->dismiss_all();
  the_worker->ring_others();
  the_worker.reset();
}

bool Worker::listen(ngx_cycle_t* cycle) {
  drain_.handler = callback<on_drain>;
  drain_.log = cycle->log;
  drain_.data = this;
  ring_ = drain_;
  ring_.handler = callback<on_ring>;
  tick_ = drain_;
  tick_.handler = callback<on_tick>;
  tick_.cancelable = 1;
  wheel_event_ = drain_;
  wheel_event_.handler = callback<on_wheel>;

  wakeup_ = ngx_get_connection(wakeup(seat_), cycle->log);
  if (wakeup_ == nullptr) return false;
  wakeup_->data = this;
  wakeup_->read->handler = callback<on_wakeup>;
  wakeup_->read->log = wakeup_->write->log = cycle->log;
  // Not a client's: nothing closes it at shutdown.
  wakeup_->read->channel = wakeup_->write->channel = 1;
  // But it is called, with `close` set, when the worker is told to go.
  wakeup_->idle = 1;
  if (ngx_add_event(wakeup_->read, NGX_READ_EVENT, NGX_CLEAR_EVENT) != NGX_OK) {
    ngx_free_connection(wakeup_);
    wakeup_->fd = static_cast<ngx_socket_t>(-1);
    return false;
  }
  ngx_add_timer(&tick_, kTick);
  desk_.listen();
  revocations_.listen();
  tokens_.listen();
  hear_notices();
  key_sets_.tick();
  wake();
  return true;
}

void Worker::wake() { ngx_post_event(&drain_, &ngx_posted_next_events); }

/// Ourselves without the system's help. Others once for all that is published
/// in this turn: on the same core each would run at once, for one message.
void Worker::wake(broker::shm::SeatIndex seat) {
  if (seat == seat_) return wake();
  others_.add(seat);
  ngx_post_event(&ring_, &ngx_posted_next_events);
}

void Worker::on_ring(ngx_event_t* event) {
  static_cast<Worker*>(event->data)->ring_others();
}

void Worker::ring_others() { std::exchange(others_, {}).each(ring); }

/// Where each write is an edge the eventfd isn't read: it doesn't get full.
void Worker::on_wakeup(ngx_event_t* event) {
  auto* const c = static_cast<ngx_connection_t*>(event->data);
  if ((ngx_event_flags & NGX_USE_CLEAR_EVENT) == 0) {
    std::uint64_t count;
    [[maybe_unused]] const auto n = ::read(c->fd, &count, sizeof count);
  }
  Worker& self = *static_cast<Worker*>(c->data);
  self.wake();
  c->close = 0;
  self.look_round();
}

void Worker::on_drain(ngx_event_t* event) {
  static_cast<Worker*>(event->data)->drain();
}

/// The others first: they can begin meanwhile.
void Worker::drain() {
  ring_others();
  const Turn turn(*this);
  const bool more = hub_.drain();
  if (more) wake();
  revocations_.look();
  tokens_.look();
  desk_.look();
  liaisons_.look();
  if (embedded_) embedded_->look(!more);
  if (redis_node_ != nullptr) redis_node_->look();
}

void Worker::on_tick(ngx_event_t* event) {
  static_cast<Worker*>(event->data)->tick();
}

void Worker::dismiss_all() {
  each_client([](auto& client) { client.shut_down(); });
  settle();
  each_client([](auto& client) { client.abort(); });
  settle();
}

/// A worker without a share counts too: it can't publish.
broker::redis::NodeHealth Worker::health() {
  return {.leaving = leaving(),
          .has_redis = network_ != nullptr,
          .relays = zone_.relays().size(),
          .workers = zone_.sum(Counter::redis_relays),
          .proved = zone_.sum(Counter::redis_ready),
          .knows_revocations = revocations_.known(),
          .knows_tokens = tokens_.known(),
          .has_back_ends = classic_ != nullptr,
          .askers = zone_.sum(Counter::classic_listeners),
          .askers_ready = zone_.sum(Counter::classic_ready)};
}

bool Worker::leaving() const { return leave_.begun() || taken_over(); }

/// nginx tells a worker to go, not whether its master goes too; and nothing of
/// a new binary, whose zone is another.
void Worker::look_round() {
  if (ngx_exiting == 0 && !taken_over()) {
    if (leave_.begun()) leave_.forget();
    return;
  }
  const bool stop = taken_over() || master_leaves();
  // Clients may keep this one for long.
  if (!stop && redis_broker_ != nullptr) redis_broker_->give_way();
  const auto time = drain_time(stop ? Leave::stop : Leave::reload);
  if (time) leave_.begin(*time);
}

/// A wake-up whose sender was killed is made up for here.
void Worker::tick() {
  ngx_add_timer(&tick_, kTick);
  wake();
  tick_broker_();
  tick_presence_();
  if (redis_node_ != nullptr) redis_node_->tick();
  desk_.listen();
  revocations_.tick();
  tokens_.tick();
  hear_notices();
  if (classic_) classic_->tick();
  if (embedded_) embedded_->tick();
  liaisons_.tick();
  key_sets_.tick();
  limits_.tick();
  hooks_.tick();
  look_after_successor();
  look_round();
}

/// What can't be yet is tried again.
void Worker::hear_notices() {
  if (!hears_notices_) return;
  (void)liaisons_.listen();
  if (!liaisons_.lost()) return;
  ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                "paperboy classic: what a back end said of clients may be lost "
                "to this worker, which was too slow for the log");
}

void Worker::on_wheel(ngx_event_t* event) {
  static_cast<Worker*>(event->data)->turn_wheel();
}

void Worker::turn_wheel() {
  const Turn turn(*this);
  wheel_.advance(worker_clock().monotonic_ms());
}

/// Not cancelable: connections keep a worker that shuts down alive.
void Worker::schedule() {
  // A timer that was cancelled may have been the last; a worker that shuts
  // down waits for no other.
  if (ngx_exiting != 0) wheel_.look_again();
  const auto due = wheel_.next_ms();
  if (!due) {
    if (wheel_event_.timer_set != 0) ngx_del_timer(&wheel_event_);
    return;
  }
  if (wheel_event_.timer_set != 0 && wheel_due_ <= *due) return;
  const std::uint64_t now = worker_clock().monotonic_ms();
  if (wheel_event_.timer_set != 0) ngx_del_timer(&wheel_event_);
  ngx_add_timer(&wheel_event_, *due > now ? *due - now : 0);
  wheel_due_ = *due;
}

void Worker::settle() noexcept {
  // By index: what sending leads to may queue another.
  for (std::size_t i = 0; i < dirty_.size(); ++i) dirty_[i]->settle();
  dirty_.clear();
  hub_.release();
  // Closing one may not end another, but be safe against it.
  while (!dead_.empty()) {
    Client* const client = dead_.back();
    dead_.pop_back();
    client->close();
  }
}

}  // namespace paperboy::nginx
