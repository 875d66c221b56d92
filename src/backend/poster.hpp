// Posts to one callback, some side by side, the others in a bounded queue. Each
// has a connection of its own and so much time, connecting included; one that
// waits for longer than that is given up. On one worker's event loop.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "backend/callback_table.hpp"
#include "base/bytes.hpp"
#include "broker/redis_network.hpp"

namespace paperboy::backend {

class Poster {
 public:
  static constexpr std::size_t kAtOnce = 4;

  struct Options {
    std::string token;                // that is shown with each
    std::uint64_t timeout_ms = 5000;  // of a post, and of waiting for its turn
    std::size_t queue = 1000;         // posts that wait
  };

  enum class Outcome : std::uint8_t {
    accepted,  // answered with 200
    refused,   // answered with anything else
    lost,      // it couldn't be reached, or there are too many
  };

  /// Of a post to the registration `serial`. `why`: for a log. It may not
  /// destroy the poster.
  using Ended =
      std::function<void(std::uint64_t serial, Outcome outcome, Bytes why)>;

  /// All must outlive this.
  Poster(broker::redis::Network& network, const Options& options,
         Registered registered, Ended ended);
  Poster(const Poster&) = delete;
  Poster& operator=(const Poster&) = delete;
  ~Poster();

  /// `ended` is called once, now or later, unless the poster goes before.
  void post(std::shared_ptr<const std::string> body);

  /// It has been registered anew: what is posted from now on is posted to that.
  void go_over_to(std::uint64_t serial) { serial_ = serial; }

  [[nodiscard]] const Callback& callback() const { return callback_; }
  /// Posts that haven't ended.
  [[nodiscard]] std::size_t open() const;

 private:
  class Exchange;

  struct Waiting {
    std::shared_ptr<const std::string> body;
    std::uint64_t until;  // monotonic ms
  };

  void go_on();
  void note_ended(std::uint64_t serial, Outcome outcome, Bytes why);

  broker::redis::Network& network_;
  const Options& options_;
  const Callback callback_;
  std::uint64_t serial_;
  const Ended ended_;
  std::deque<Waiting> waiting_;
  std::vector<std::unique_ptr<Exchange>> running_;
  // Who has ended is buried, and who waits begins, in a turn of its own.
  std::unique_ptr<broker::redis::Alarm> next_;
};

}  // namespace paperboy::backend
