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
//
// Each second each of them sends a mark from which all number anew: should one
// have lost something on its way without its connection, it counts as the
// others again by the next. One that doesn't hear its own marks connects anew.
//
// Who begins amid a stream of messages may be ahead of those that were there
// before: then what came after its marker would be published before what came
// in front of it. So it holds what it hears until all that heard its marker
// have said that they have done what came before, and until it can publish, or
// for some time; what they have taken meanwhile isn't taken again. One that
// loses Redis while it holds waits no longer than until Redis is back.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
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

  ~RedisMessaging() override { *self_ = nullptr; }
  RedisMessaging(const RedisMessaging&) = delete;
  RedisMessaging& operator=(const RedisMessaging&) = delete;

  void ask(Bytes client, Bytes token) override;
  [[nodiscard]] Bytes name_space() const override {
    return taker_.name_space();
  }

  /// Once a second. `listens`: to what back ends say. `publishes`: it can, so
  /// that it need not leave that to the others any more.
  void tick(bool listens, bool publishes = true);

  /// For so long it waits for one that has ended since, ms.
  static constexpr std::uint64_t kHoldMs = 5000;

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

  /// What is to be taken once those who were here before are as far.
  struct Held {
    Topic topic;
    std::string text;
    std::string key;
    std::uint64_t number;
  };
  /// A marker of another, and what has to be done before it is said so.
  struct Pass {
    std::string marker;
    std::uint64_t behind;
  };

  [[nodiscard]] bool is_up() const { return engine_->is_up(0); }
  void push(const std::string& body);
  void drop_old();
  void listen();
  void send_marker();
  void send_mark();
  void on_mark(Bytes mark);
  void on_marker_sent(const Result<broker::redis::Reply>& answer);
  void on_marker(Bytes marker);
  void on_passed(Bytes marker);
  void look_ahead();
  void take(Topic topic, Bytes text, Bytes key, std::uint64_t number);
  void pass_markers();
  void hold(Topic topic, Bytes text, std::string key);
  void release();
  void on_asked(const Result<broker::redis::Reply>& answer);
  void lose(Bytes why);

  broker::redis::Network& network_;
  Taker& taker_;
  Counters& counters_;
  const std::uint64_t most_;
  Complaints complaints_;
  bool listens_ = false;
  bool publishes_ = false;
  std::string marker_;  // the last; empty: none was heard yet
  std::string own_;     // that it sent
  std::string mark_;    // the last mark that it sent, until it is heard
  int unheard_ = 0;     // marks of its own since one was heard
  bool own_heard_ = false;
  std::int64_t listeners_ = 0;  // who heard that; 0: isn't known yet
  std::int64_t passed_ = 0;     // who is past it, of them
  std::deque<Waiting> waiting_;
  std::optional<std::uint64_t> refused_ms_;  // monotonic; a request, the last
  std::deque<Held> held_;
  std::size_t held_bytes_ = 0;
  std::unique_ptr<broker::redis::Alarm> holding_;  // while it is set
  std::uint64_t heard_ = 0;                        // messages, in all,
  std::set<std::uint64_t> open_;                   // which of them aren't done
  std::deque<Pass> passes_;
  std::uint64_t since_ = 0;  // messages since
  // What it takes may be done when this is gone.
  std::shared_ptr<RedisMessaging*> self_ =
      std::make_shared<RedisMessaging*>(this);
  std::unique_ptr<broker::redis::Engine> engine_;  // gone before the rest
};

}  // namespace paperboy::backend
