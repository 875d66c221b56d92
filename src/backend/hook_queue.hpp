// What is told to an application, until it has taken it: events in their order,
// a post of some of them after the other. A post that it doesn't take is tried
// again, as it was, after a while that doubles; after some times its events are
// lost. As are, where too many wait, the oldest: what happened last is nearer
// to what is. The next post says how many were lost before it.
//
//   {"node":"host","lost":3,"events":[{...},{...}]}
//
// Knows no time but what it is told, in monotonic ms. On one worker.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "base/bytes.hpp"

namespace paperboy::backend {

class HookQueue {
 public:
  static constexpr std::uint64_t kFirstPause = 200;  // ms, before a retry
  static constexpr std::uint64_t kLongestPause = 30'000;

  struct Options {
    std::size_t batch = 100;       // events in a post
    std::uint64_t delay_ms = 100;  // that one waits for others
    std::size_t queue = 10'000;    // events that wait, besides a post's
    std::size_t retries = 10;      // of a post
  };

  /// `options` must outlive this.
  explicit HookQueue(const Options& options) : options_(options) {}

  /// Adds an event, a JSON object. How many were lost for it: 0 or 1.
  [[nodiscard]] std::size_t add(std::string event, std::uint64_t now);

  /// When there is something to post, perhaps in the past; none: nothing waits,
  /// or a post is on its way.
  [[nodiscard]] std::optional<std::uint64_t> due() const;

  /// The next post, which is on its way until one of the following is called.
  /// REQUIRES: due().
  [[nodiscard]] std::string take(Bytes node);

  /// It was taken: how many events that were.
  [[nodiscard]] std::size_t accepted();

  /// It wasn't: how many events are lost by that.
  [[nodiscard]] std::size_t refused(std::uint64_t now);

  /// All that waits and isn't on its way is lost: how many events.
  [[nodiscard]] std::size_t give_up();

  [[nodiscard]] std::size_t size() const { return waiting_.size(); }

 private:
  struct Event {
    std::string json;
    std::uint64_t since;
  };

  void drop_post();
  void drop_tries();

  const Options& options_;
  std::deque<Event> waiting_;
  std::size_t posted_ = 0;      // the first of them: the post
  bool on_way_ = false;         // it is, or it is to be tried again
  std::size_t tries_ = 0;       // of it, that failed
  std::uint64_t again_ms_ = 0;  // when it is tried again
  std::uint64_t lost_ = 0;      // that it has not been told of
  std::uint64_t told_ = 0;      // of them the post tells
};

}  // namespace paperboy::backend
