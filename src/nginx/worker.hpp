// What a worker process has of Paperboy: its seat in the zone, its hub, its
// timing wheel, and the connections with something to send. Made when the
// process starts (init_process), gone when it ends; all on its event loop.
#pragma once

#include "nginx/ngx.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "api/node.hpp"
#include "base/clock.hpp"
#include "base/counters.hpp"
#include "base/wheel.hpp"
#include "broker/redis_readiness.hpp"
#include "broker/shm_zone.hpp"
#include "hub/hub.hpp"
#include "nginx/crowd.hpp"
#include "nginx/drain.hpp"
#include "nginx/errands.hpp"
#include "nginx/hook_desk.hpp"
#include "nginx/jwks_desk.hpp"
#include "nginx/limits.hpp"
#include "nginx/network.hpp"
#include "nginx/order_desk.hpp"
#include "nginx/revocation_desk.hpp"
#include "nginx/sites.hpp"
#include "nginx/token_desk.hpp"
#include "session/codecs.hpp"
#include "session/context.hpp"

namespace paperboy::broker {
class RedisBroker;
class RedisPresence;
}  // namespace paperboy::broker

namespace paperboy::nginx {

class ClassicDesk;
class Client;
class EmbeddedDesk;
class RedisNode;
struct MainConf;

class Worker {
 public:
  /// Null: the process has no zone, or no seat in it.
  static Worker* current();

  static ngx_int_t init_process(ngx_cycle_t* cycle);
  static void exit_process(ngx_cycle_t* cycle);

  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();

  [[nodiscard]] session::Context& context() { return context_; }
  [[nodiscard]] Sites& sites() { return sites_; }
  [[nodiscard]] broker::shm::Zone& zone() { return zone_; }
  [[nodiscard]] broker::shm::SeatIndex seat() const { return seat_; }
  [[nodiscard]] OrderDesk& desk() { return desk_; }
  [[nodiscard]] Errands& errands() { return errands_; }
  [[nodiscard]] HookDesk& hooks() { return hooks_; }
  [[nodiscard]] RevocationDesk& revocations() { return revocations_; }
  [[nodiscard]] TokenDesk& tokens() { return tokens_; }
  [[nodiscard]] api::Node& node() { return *node_; }
  /// Null: no location is for embedded back ends.
  [[nodiscard]] EmbeddedDesk* embedded() { return embedded_.get(); }

  /// Publications wait: they are read at the end of the next turn of the
  /// loop, together with what comes until then.
  void wake();
  /// The same for the worker of a seat.
  void wake(broker::shm::SeatIndex seat);

  /// `client` has something to send when the turn ends.
  void queue(Client& client) { dirty_.push_back(&client); }

  /// It has gone before the turn ended.
  void forget(Client& client) { std::erase(dirty_, &client); }

  /// `client` ends when the turn ends.
  void bury(Client& client) { dead_.push_back(&client); }

  /// It has ended before.
  void unbury(Client& client) { std::erase(dead_, &client); }

  /// For the log lines of its clients; of one whose location has no log there
  /// is nothing, and an address less in each.
  std::unordered_map<const Client*, std::string>& captured() {
    return captured_;
  }

  /// Clients that nginx's table of connections doesn't tell of.
  std::unordered_set<Client*>& held() { return held_; }

  /// The end of a turn: what is queued is sent, what is dead is closed.
  void settle() noexcept;

  [[nodiscard]] Crowd& crowd() { return crowd_; }
  [[nodiscard]] Limits& limits() { return limits_; }

  /// Arms nginx's timer for what the wheel does next.
  void schedule();

  /// It is on its way out, or a new binary has taken over, and it takes no new
  /// clients.
  [[nodiscard]] bool leaving() const;

  /// Of the node, as far as a worker can see.
  [[nodiscard]] broker::redis::NodeHealth health();

  /// Ends all clients in this turn; each is told as far as its socket takes
  /// it.
  void dismiss_all();

 private:
  Worker(broker::shm::Zone zone, broker::shm::SeatIndex seat,
         const MainConf& main);
  std::unique_ptr<hub::Broker> make_broker(const MainConf& main);
  std::unique_ptr<hub::Presence> make_presence();
  std::unique_ptr<api::Node> make_node(const MainConf& main);
  static void take_seat(ngx_cycle_t* cycle);
  static void on_take_seat(ngx_event_t* event);

  bool listen(ngx_cycle_t* cycle);
  void ring_others();
  void drain();
  void tick();
  void hear_notices();
  void turn_wheel();
  void look_round();

  // Handlers of the events below.
  static void on_wakeup(ngx_event_t* event);
  static void on_ring(ngx_event_t* event);
  static void on_drain(ngx_event_t* event);
  static void on_tick(ngx_event_t* event);
  static void on_wheel(ngx_event_t* event);

  broker::shm::Zone zone_;
  broker::shm::SeatIndex seat_;
  Counters counters_;
  Limits limits_;
  hub::RuleSet rules_;
  std::unique_ptr<NginxNetwork> network_;            // null: there is no Redis
  broker::RedisBroker* redis_broker_ = nullptr;      // the same as below,
  broker::RedisPresence* redis_presence_ = nullptr;  // where there is one
  RedisNode* redis_node_ = nullptr;
  std::function<void()> tick_broker_;
  std::function<void()> tick_presence_;
  std::unique_ptr<hub::Broker> broker_;
  std::unique_ptr<hub::Presence> presence_;
  hub::Hub hub_;
  Wheel wheel_;
  session::Codecs codecs_;
  session::Liaisons liaisons_;
  session::Context context_;
  Sites sites_{context_};

  std::vector<Client*> dirty_;
  std::vector<Client*> dead_;
  std::unordered_set<Client*> held_;
  std::unordered_map<const Client*, std::string> captured_;
  ngx_connection_t* wakeup_ = nullptr;  // over the seat's eventfd
  broker::shm::SeatSet others_;         // to be woken
  ngx_event_t ring_{};
  ngx_event_t drain_{};
  ngx_event_t tick_{};
  ngx_event_t wheel_event_{};
  std::uint64_t wheel_due_ = 0;  // when wheel_event_ is set for
  Drain leave_;
  Crowd crowd_;
  OrderDesk desk_;
  JwksDesk key_sets_;
  Errands errands_;
  HookDesk hooks_;
  ChannelHooks channel_hooks_;
  RevocationDesk revocations_;
  TokenDesk tokens_;
  std::unique_ptr<api::Node> node_;
  std::unique_ptr<ClassicDesk> classic_;    // null: there is no back end
  std::unique_ptr<EmbeddedDesk> embedded_;  // or none of these
  bool hears_notices_ = false;              // or is to
};

/// One entry from nginx's event loop into ours; settles at its end.
class Turn {
 public:
  explicit Turn(Worker& worker) : worker_(worker) {}
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() {
    worker_.settle();
    worker_.schedule();
  }

 private:
  Worker& worker_;
};

/// nginx's cached time.
const Clock& worker_clock();

/// For a zone that is only being formatted.
broker::shm::Waker& no_waker();

}  // namespace paperboy::nginx
