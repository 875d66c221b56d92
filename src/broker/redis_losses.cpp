#include "broker/redis_losses.hpp"

#include <string>
#include <utility>

#include "broker/redis_connection.hpp"

namespace paperboy::broker::redis {

namespace {

constexpr std::uint64_t kPauseMs = 1000;  // between two lines

constexpr std::size_t kMaxShown = 600;  // a bucket has 17 ids

constexpr Bytes kWhat =
    "Redis has lost what was seen of it, channels begin new epochs: ";

}  // namespace

Losses::Losses(Network& network)
    : network_(network), alarm_(network.alarm([this] { sum_up(); })) {}

void Losses::tell(Bucket bucket, Bytes found, bool heard) {
  if (alarm_->is_set()) {
    ++more_;
    return;
  }
  std::string shown = printable(found, kMaxShown);
  if (shown.ends_with(' ')) shown.pop_back();
  std::string line(kWhat);
  line.append("bucket ").append(std::to_string(bucket)).append(": ");
  line.append(shown).append(heard ? " (by a message)" : "");
  network_.log(LogLevel::warning, line);
  alarm_->set(kPauseMs);
}

void Losses::sum_up() {
  if (more_ == 0) return;
  std::string line(kWhat);
  line.append(std::to_string(std::exchange(more_, 0))).append(" more buckets");
  network_.log(LogLevel::warning, line);
  alarm_->set(kPauseMs);
}

}  // namespace paperboy::broker::redis
