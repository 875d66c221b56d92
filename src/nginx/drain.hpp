// How a worker sends its clients away: each is told to come back, at a moment
// of its own within a time, so that those who take them over don't get all of
// them at once. Who is still there at the end is dropped.
#pragma once

#include "nginx/ngx.hpp"

#include <cstdint>
#include <optional>
#include <random>

namespace paperboy::nginx {

class Worker;

/// Why clients have to go.
enum class Leave : std::uint8_t {
  reload,  // there are younger workers; this one may serve on
  stop,    // nobody of this master's stays
};

/// How long clients have to go, by the configuration; none: as long as they
/// like.
std::optional<ngx_msec_t> drain_time(Leave why);

class Drain {
 public:
  /// `worker` must outlive this.
  explicit Drain(Worker& worker);
  Drain(const Drain&) = delete;
  Drain& operator=(const Drain&) = delete;
  ~Drain();

  /// From now on clients are sent away, and gone when `time` is over. While
  /// it is under way, it can only be hastened.
  void begin(ngx_msec_t time);

  /// Clients are being sent away, or all have gone.
  [[nodiscard]] bool begun() const { return begun_; }

  /// Who comes now may stay.
  void forget();

 private:
  static void on_step(ngx_event_t* event);
  void step();
  [[nodiscard]] std::uint64_t steps_left(std::uint64_t now) const;

  Worker& worker_;
  ngx_event_t event_{};
  std::minstd_rand random_;
  bool begun_ = false;
  std::uint64_t told_ms_ = 0;  // when all have been told
  std::uint64_t end_ms_ = 0;
  ngx_msec_t step_ms_ = 0;
};

}  // namespace paperboy::nginx
