#include "broker/redis_lease.hpp"

#include <utility>

namespace paperboy::broker::redis {

namespace {

constexpr std::uint32_t kMostTaken = 8;  // dead holders in one call
constexpr std::size_t kMostSeekers = 1000;

constexpr Error kUnavailable{ErrorCode::unavailable,
                             "Redis can't be asked who lives: try again"};

std::string random_name(Network& network) {
  static constexpr Bytes kDigits = "0123456789abcdef";
  std::uint64_t bits = network.random() ^ network.random() << 32;
  std::string name;
  for (int i = 0; i < 16; ++i, bits >>= 4) name += kDigits[bits & 15];
  return name;
}

}  // namespace

Lease::Lease(Engine& engine, Network& network, const Keys& keys,
             const LeaseTimes& times, LeaseEvents& events)
    : engine_(engine),
      network_(network),
      keys_(keys),
      times_(times),
      events_(events),
      holder_(random_name(network)),
      alarm_(network.alarm([this] { renew(); })),
      found_alarm_(network.alarm([this] { found(); })) {
  alarm_->set(0);
}

Lease::~Lease() { *self_ = nullptr; }

void Lease::anew() {
  holder_ = random_name(network_);
  held_ = false;
  alarm_->set(0);
}

// ---- renewing --------------------------------------------------------------

void Lease::renew(Handler handler) {
  alarm_->set(times_.renew_ms);
  const bool takes =
      held_ && last_ - since_ >= static_cast<std::int64_t>(times_.lasts_ms);
  const NodeState node = describe_ ? describe_() : NodeState{};
  std::vector<std::string> words = {holder_,
                                    held_ ? "renew" : "new",
                                    std::to_string(times_.lasts_ms),
                                    std::to_string(takes ? kMostTaken : 0),
                                    std::to_string(times_.burial_ms),
                                    std::to_string(last_),
                                    std::to_string(longest_break()),
                                    node.uid,
                                    node.info};
  words.insert(words.end(), buried_.begin(), buried_.end());
  call(words, [self = self_, holder = holder_, told = buried_,
               handler = std::move(handler)](const Result<Reply>& reply) {
    if (*self == nullptr) return;
    if (reply && reply->is_error()) (*self)->events_.on_refused(reply->text);
    (*self)->answered(holder, reply, told);
    if (!handler) return;
    if (reply && !reply->is_error()) {
      handler(Done{});
    } else {
      handler(kUnavailable);
    }
  });
}

void Lease::call(const std::vector<std::string>& words, ReplyHandler handler) {
  engine_.call(0, Script::lease,
               {keys_.leases(), keys_.dead(), keys_.buried(), keys_.nodes()},
               words, std::move(handler));
}

/// `told`: those of the buried.
void Lease::answered(const std::string& holder, const Result<Reply>& reply,
                     const std::vector<std::string>& told) {
  if (!reply || reply->items.size() != 6 || holder != holder_) return;
  const auto& items = reply->items;
  const std::int64_t state = items[0].integer;
  note_success(items[1].integer);
  for (const std::string& one : told) std::erase(buried_, one);
  living_.clear();
  for (const Reply& one : items[2].items) living_.insert(one.text);
  dying_.clear();
  for (const Reply& one : items[4].items) dying_.insert(one.text);
  read_nodes(items[5], state == 0);
  for (const Reply& one : items[3].items) events_.on_taken(one.text);
  if (state == 1) {
    if (!std::exchange(held_, true)) events_.on_held();
  } else {
    since_ = last_;
    events_.on_lost(state == 2);
  }
}

void Lease::note_success(std::int64_t ms) {
  if (last_ == 0 || ms - last_ > longest_break() || ms < last_) since_ = ms;
  last_ = ms;
  renewed_at_ = now();
}

bool Lease::is_fresh() const {
  return renewed_at_ != 0 && now() - renewed_at_ <= times_.lasts_ms;
}

// ---- nodes -----------------------------------------------------------------

void Lease::read_nodes(const Reply& reply, bool forgotten) {
  if (forgotten) {
    forgotten_ = nodes_;
    forgotten_at_ = now();
  }
  nodes_.clear();
  for (std::size_t i = 0; i + 1 < reply.items.size(); i += 2) {
    nodes_[reply.items[i].text] = reply.items[i + 1].text;
  }
}

Lease::Nodes Lease::nodes() const {
  auto all = nodes_;
  if (forgotten_at_ != 0 && now() - forgotten_at_ < times_.lasts_ms) {
    all.insert(forgotten_.begin(), forgotten_.end());
  }
  Nodes nodes;
  for (const auto& [uid, info] : all) nodes.push_back({uid, info});
  return nodes;
}

/// Each node renews within its time, and a little: so long somebody may be
/// missing of whom nobody here had heard before.
void Lease::find_nodes(Handler handler) {
  renew([this, handler = std::move(handler)](const Result<Done>& renewed) {
    const std::uint64_t back_at =
        forgotten_at_ + times_.renew_ms + times_.renew_ms / 4;
    if (!renewed || forgotten_at_ == 0 || back_at <= now()) {
      return handler(renewed);
    }
    if (seekers_.size() == kMostSeekers) return handler(kUnavailable);
    seekers_.push_back(handler);
    if (!found_alarm_->is_set()) found_alarm_->set(back_at - now());
  });
}

void Lease::found() {
  renew([seekers = std::exchange(seekers_, {})](const Result<Done>& renewed) {
    for (const Handler& seeker : seekers) seeker(renewed);
  });
}

void Lease::remove_node(const std::string& uid) {
  engine_.command(0, {"HDEL", keys_.nodes(), uid}, [](const auto&) {});
}

// ---- the end ---------------------------------------------------------------

void Lease::give_up(bool empty) {
  alarm_->cancel();
  if (!held_) return;
  if (empty) {
    engine_.command(0, {"ZREM", keys_.leases(), holder_}, [](const auto&) {});
  } else {
    engine_.command(0, {"ZADD", keys_.leases(), "XX", "0", holder_},
                    [](const auto&) {});
  }
}

}  // namespace paperboy::broker::redis
