// All subscribers of a run: the threads that they live on.
#pragma once

#include <memory>
#include <thread>
#include <vector>

#include "worker.hpp"

namespace paperboy::load {

class Crowd {
 public:
  /// Starts to connect. Options must outlive it.
  explicit Crowd(const Options& options);
  ~Crowd() { stop(); }
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  /// Until all are open or have failed, or the time is over.
  void await_connections() const;
  /// Until so many messages have come since `measure`, or none comes any more;
  /// and then for those that nobody expects.
  void await_messages(std::uint64_t number) const;
  /// Counts anew from here on.
  void measure();
  /// Ends connections and threads.
  void stop();

  [[nodiscard]] std::uint64_t received() const;
  /// Frames that were answered, as --reply says, since the run began.
  [[nodiscard]] std::uint64_t answered() const;
  [[nodiscard]] std::uint64_t open() const;
  [[nodiscard]] std::uint64_t began_ns() const { return signals_.began_ns; }
  /// When the last message came; 0: none did.
  [[nodiscard]] std::uint64_t last_received_ns() const;
  /// How many of those that are open listen to each channel.
  [[nodiscard]] std::vector<std::uint64_t> audiences() const;
  /// Messages up to these numbers of each channel that didn't come to those
  /// that are open, and after which none has.
  [[nodiscard]] std::uint64_t missing_at_the_end(
      const std::vector<std::uint64_t>& sequences) const;
  /// Of all threads, when they have stopped.
  [[nodiscard]] Tally tally() const;

 private:
  const Options& options_;
  Signals signals_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::thread> threads_;
};

}  // namespace paperboy::load
