// Back ends of the classic protocol over Redis: requests go into a list, what
// back ends say comes by three topics of pub/sub. One a worker, on its event
// loop, with connections of its own. While Redis is away, a few requests wait
// for it, as long as clients wait for their answers.
//
// Not every worker of a node listens, but more than one does, so that nothing
// is lost with a worker (nginx/classic_desk.hpp says which). All of them, of
// all nodes, get the same messages in the same order. So that each takes effect
// once, they are numbered from a marker on, which whoever begins to listen
// sends through Redis itself: whoever is there already numbers from it on too.
// Until it has heard one, a worker takes nothing.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "backend/complaints.hpp"
#include "backend/taker.hpp"
#include "base/counters.hpp"
#include "broker/redis_engine.hpp"
#include "broker/redis_network.hpp"
#include "hub/back_end.hpp"

namespace paperboy::backend {

/// The topic of the markers.
inline constexpr Bytes kMarkers = "paperboy-taker";

class RedisMessaging final : public hub::BackEnd,
                             private broker::redis::EngineEvents {
 public:
  /// All must outlive this. `most`: requests that may wait in Redis.
  RedisMessaging(broker::redis::Network& network,
                 std::unique_ptr<broker::redis::Engine> engine, Taker& taker,
                 Counters& counters, std::uint64_t most);

  void ask(Bytes client, Bytes token) override;
  [[nodiscard]] Bytes name_space() const override {
    return taker_.name_space();
  }

  /// Once a second. `listens`: to what back ends say.
  void tick(bool listens);

  /// Redis takes requests, and delivers what back ends say where it listens.
  [[nodiscard]] bool is_ready() const;

 private:
  void on_up(broker::redis::Shard shard) override;
  void on_down(broker::redis::Shard shard) override;
  void on_moved(broker::redis::Bucket) override {}
  void on_listening(Bytes topic) override;
  void on_message(Bytes topic, Bytes message) override;

  /// What couldn't be sent yet.
  struct Waiting {
    std::string body;
    std::uint64_t since;  // monotonic ms
  };

  [[nodiscard]] bool is_up() const { return engine_->is_up(0); }
  void push(const std::string& body);
  void drop_old();
  void listen();
  void send_marker();
  void on_asked(const Result<broker::redis::Reply>& answer);
  void lose(Bytes why);

  broker::redis::Network& network_;
  Taker& taker_;
  Counters& counters_;
  const std::uint64_t most_;
  Complaints complaints_;
  bool listens_ = false;
  std::string marker_;  // the last; empty: none was heard yet
  std::deque<Waiting> waiting_;
  std::optional<std::uint64_t> refused_ms_;  // monotonic; a request, the last
  std::uint64_t since_ = 0;                  // messages since
  std::unique_ptr<broker::redis::Engine> engine_;  // gone before the rest
};

}  // namespace paperboy::backend
