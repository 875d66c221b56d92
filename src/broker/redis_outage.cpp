#include "broker/redis_outage.hpp"

namespace paperboy::broker::redis {

namespace {

// Reasons that an outage may have in the log: they may hold a number.
constexpr std::size_t kMaxTold = 32;

}  // namespace

void Outage::tell_lost(const std::string& server, Bytes why, bool was_up) {
  if (told_.empty()) begin_ms_ = network_.clock().monotonic_ms();
  std::string reason = server + ": ";
  reason.append(why);
  if (told_.size() >= kMaxTold || !told_.insert(reason).second) return;
  std::string line = was_up ? "lost " : "can't use ";
  line.append(reason).append("; it is tried again, until then ").append(cost_);
  network_.log(LogLevel::error, line);
}

void Outage::tell_up(const std::string& server, Bytes replication_id) {
  std::string line = server + " is there, replication id ";
  line.append(replication_id);
  if (!told_.empty()) {
    const std::uint64_t ms = network_.clock().monotonic_ms() - begin_ms_;
    line.append(", after ").append(std::to_string(ms)).append(" ms without");
  }
  network_.log(LogLevel::info, line);
  told_.clear();
}

}  // namespace paperboy::broker::redis
