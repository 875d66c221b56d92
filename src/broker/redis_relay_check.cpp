// Whether all that was published has come: by the sequences of buckets, so that
// what is quiet costs nothing; and whether anything comes at all, by a probe
// that is published with each check and has to come back.
#include <algorithm>

#include "broker/redis_relay.hpp"

namespace paperboy::broker::redis {

namespace {

constexpr std::size_t kCompared = 100;  // channels in one call
constexpr std::size_t kComparing = 8;   // calls at a time

// So many times the time in which Redis should have answered others hear what
// this one doesn't, before they relay it.
constexpr std::uint64_t kBehind = 3;

constexpr Bytes kProbe{"\0probe", 6};

}  // namespace

/// Made with the shard's first use.
Relay::Probe& Relay::probe(Shard shard) {
  const auto [found, made] = probes_.try_emplace(shard);
  if (made) name_probe(shard, found->second);
  return found->second;
}

/// A channel of this worker's own, in a bucket of the shard.
void Relay::name_probe(Shard shard, Probe& probe) {
  do {
    probe.channel = std::string(kProbe) + epoch_text(network_.random() | 1);
  } while (engine_.shard_of(bucket_of(probe.channel)) != shard);
}

/// That it is heard is waited for as for a probe.
void Relay::listen_to_probe(Shard shard) {
  Probe& probe = this->probe(shard);
  if (!std::exchange(probe.waiting, true)) ++probe.asked;
  probe.sent_at = now();
  engine_.listen(bucket_of(probe.channel), store_.keys().topic(probe.channel));
}

/// Whether it is a probe's topic that is confirmed. None is published before:
/// commands have a connection of their own, and may be faster.
bool Relay::hears_probe(Bytes channel) {
  if (!channel.starts_with(kProbe)) return false;
  const Bucket bucket = bucket_of(channel);
  Probe& probe = this->probe(engine_.shard_of(bucket));
  if (probe.channel == channel && std::exchange(probe.waiting, false)) {
    probe.sent_at = 0;
    confirm(bucket);
  }
  return true;
}

bool Relay::is_probe(Bytes channel, Bytes message) {
  if (!channel.starts_with(kProbe)) return false;
  for (auto& [shard, probe] : probes_) {
    if (probe.channel != channel) continue;
    if (message == std::to_string(probe.number)) {
      probe.sent_at = 0;
      probe.proved_at = now();
      probe.returned = probe.number;
      look_at_suspects(probe);
    }
  }
  if (!relays_) stand();
  return true;
}

bool Relay::delivers() const {
  const auto shards = engine_.shards();
  return !shards.empty() && std::ranges::all_of(shards, [this](Shard shard) {
    const auto found = probes_.find(shard);
    if (!engine_.is_up(shard) || found == probes_.end()) return false;
    const Probe& probe = found->second;
    const bool late = probe.sent_at != 0 && now() - probe.sent_at > 1000;
    return probe.proved_at != 0 && !late;
  });
}

// ---- whether it relays -----------------------------------------------------

/// One to whom Redis delivers relays. So does one to whom some servers of a
/// cluster do, where nobody else of the node hears all of them; and of those
/// who give way the last, where nobody else relays.
void Relay::stand() {
  const bool fit = delivers() || (hears_any() && !another_delivers());
  if (gives_way_) {
    relay((relays_ || fit) && !another_relays());
  } else if (!relays_) {
    relay(fit);
  } else if (fit || !another_delivers()) {
    behind_since_ = 0;
  } else if (behind_since_ == 0) {
    behind_since_ = now();
  } else if (now() - behind_since_ >= kBehind * options_.timeout_ms) {
    relay(false);
  }
}

void Relay::relay(bool relays) {
  if (relays == relays_) return;
  relays_ = relays;
  behind_since_ = 0;
  zone_.set_relay(seat_, relays);
  share_out();
  tell_others();
}

/// They would see it at their ticks; what comes until then would be a hole
/// where one has gone.
void Relay::tell_others() {
  for (const shm::Relay& one : zone_.relays()) {
    if (one.seat == seat_) continue;
    (void)zone_.publish(
        {.channel = demands_of(one.seat), .event = Event::passing});
  }
}

bool Relay::hears_any() const {
  return std::ranges::any_of(
      probes_, [](const auto& item) { return item.second.proved_at != 0; });
}

bool Relay::another_relays() const {
  return std::ranges::any_of(zone_.relays(), [this](const shm::Relay& one) {
    return one.seat != seat_;
  });
}

/// By what it says of itself.
bool Relay::another_delivers() const {
  constexpr auto kReady = static_cast<std::size_t>(Counter::redis_ready);
  return std::ranges::any_of(zone_.relays(), [this](const shm::Relay& one) {
    return one.seat != seat_ && zone_.counters(one.seat)[kReady].load(
                                    std::memory_order_relaxed) != 0;
  });
}

// ---- what has changed ------------------------------------------------------

/// A topic of the shard is confirmed. When all are, whatever was published
/// before is in the streams, and whatever comes after is heard.
void Relay::confirm(Bucket bucket) {
  const Shard shard = engine_.shard_of(bucket);
  Probe& probe = this->probe(shard);
  if (probe.asked > 0) --probe.asked;
  check_if_due(shard);
}

void Relay::check_if_due(Shard shard) {
  ask_more(shard);
  const Probe& probe = this->probe(shard);
  if (probe.asked == 0 && probe.check_due) check(shard);
}

void Relay::check_all() {
  check_alarm_->set(options_.check_ms);
  for (const Shard shard : engine_.shards()) {
    if (!engine_.is_up(shard)) continue;
    engine_.refresh_identity(shard);
    check(shard);
  }
}

void Relay::check(Shard shard) {
  if (probe(shard).checking) return;
  std::vector<Known> known;
  for (Bucket bucket = 0; bucket < kBuckets; ++bucket) {
    const Share& share = share_[bucket];
    const Seen& seen = evidence_.of(bucket);
    // One that isn't relayed here is of interest where it was seen on another
    // server: what was seen may not be there any more.
    const bool elsewhere = !seen.generation.empty() &&
                           seen.replication_id != engine_.replication_id(shard);
    if (engine_.shard_of(bucket) != shard) continue;
    if (!share.topics.empty() || elsewhere) known.push_back(share.known);
  }
  // With the last goes the probe, which is published where its bucket is.
  known.push_back(share_[bucket_of(probe(shard).channel)].known);
  probe(shard).checking = true;
  const bool at_once = std::exchange(probe(shard).check_due, false);
  if (!engine_.is_clustered()) {
    return ask_for_changes(shard, known, at_once, true);
  }
  for (std::size_t i = 0; i < known.size(); ++i) {
    ask_for_changes(shard, {known[i]}, at_once, i + 1 == known.size());
  }
}

void Relay::ask_for_changes(Shard shard, const std::vector<Known>& known,
                            bool at_once, bool last) {
  Probe& probe = this->probe(shard);
  const std::uint64_t proof = at_once ? 0 : probe.number + 1;
  std::string number;
  if (last && !probe.waiting && probe.sent_at == 0) {
    probe.sent_at = now();
    number = std::to_string(++probe.number);
  }
  store_.check(known, store_.keys().topic(probe.channel), number,
               [self = self_, shard, last, at_once,
                proof](const Result<std::vector<Change>>& changes) {
                 if (*self == nullptr) return;
                 Relay& here = **self;
                 const auto found = here.probes_.find(shard);
                 if (found == here.probes_.end()) return;
                 if (last) found->second.checking = false;
                 if (!changes) {
                   found->second.check_due |= at_once;
                   return;
                 }
                 for (const Change& change : *changes)
                   here.changed(change, proof);
               });
}

void Relay::changed(const Change& change, std::uint64_t proof) {
  if (change.kind == Change::Kind::none) return;
  Share& share = share_[change.bucket];
  share.known = {change.bucket, change.generation, change.sequence};
  if (change.kind == Change::Kind::all) {
    compare_all(change.bucket, proof == 0);
    return;
  }
  for (const Standing& standing : change.channels) compare(standing, proof);
  if (change.kind == Change::Kind::more) {
    ask_for_changes(engine_.shard_of(change.bucket), {share.known}, proof == 0,
                    false);
  }
}

/// Nobody knows what has changed in it: the next check asks for all.
void Relay::forget(Bucket bucket) { share_[bucket].known.generation.clear(); }

void Relay::compare_all(Bucket bucket, bool at_once) {
  Comparison some{bucket, {}, at_once};
  for (const auto& [channel, topic] : share_[bucket].topics) {
    some.channels.push_back(channel);
    if (some.channels.size() < kCompared) continue;
    to_compare_.push_back(std::exchange(some, {bucket, {}, at_once}));
  }
  if (!some.channels.empty()) to_compare_.push_back(std::move(some));
  compare_more();
}

/// The number of a probe that is published after what is asked for now.
std::uint64_t Relay::next_proof(Bucket bucket) {
  return probe(engine_.shard_of(bucket)).number + 1;
}

/// A few calls at a time.
void Relay::compare_more() {
  while (comparing_ < kComparing && !to_compare_.empty()) {
    const Comparison some = std::move(to_compare_.front());
    to_compare_.pop_front();
    ++comparing_;
    store_.positions(some.bucket, standings(some.channels),
                     [self = self_, bucket = some.bucket,
                      proof = some.at_once ? 0 : next_proof(some.bucket)](
                         const Result<std::vector<Standing>>& standings) {
                       if (*self == nullptr) return;
                       Relay& here = **self;
                       --here.comparing_;
                       if (!standings) here.forget(bucket);
                       if (standings) {
                         for (const auto& one : *standings)
                           here.compare(one, proof);
                       }
                       here.compare_more();
                     });
  }
}

}  // namespace paperboy::broker::redis
