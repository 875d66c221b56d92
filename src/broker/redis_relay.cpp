#include <algorithm>

#include "broker/redis_relay.hpp"
#include "hub/key.hpp"

namespace paperboy::broker::redis {

namespace {

// A bucket that another worker relays from now on is kept for so long, until
// that one surely listens.
constexpr std::uint64_t kOverlapMs = 3000;

// Workers see who relays at their ticks, not all at the same time.
constexpr std::uint64_t kSkewMs = 2000;

// Topics of one shard that are asked for and not confirmed yet, about.
constexpr std::size_t kAsked = 10'000;

constexpr std::size_t kScanned = 20'000;  // channels in one go
constexpr std::size_t kSwept = 20'000;    // topics a second

}  // namespace

Relay::Relay(shm::Zone& zone, shm::SeatIndex seat, const hub::RuleSet& rules,
             const Options& options, Network& network, Engine& engine,
             Store& store, Evidence& evidence, Counters& counters)
    : zone_(zone),
      seat_(seat),
      rules_(rules),
      options_(options),
      network_(network),
      engine_(engine),
      store_(store),
      evidence_(evidence),
      counters_(counters),
      check_alarm_(network.alarm([this] { check_all(); })),
      place_alarm_(network.alarm([this] { place_all(); })),
      retry_alarm_(network.alarm([this] { retry(); })),
      stall_alarm_(network.alarm([this] { go_on(); })),
      scan_alarm_(network.alarm([this] { scan(); })) {
  for (Bucket bucket = 0; bucket < kBuckets; ++bucket) {
    share_[bucket].known.bucket = bucket;
  }
  share_out();
}

Relay::~Relay() {
  *self_ = nullptr;
  zone_.set_relay(seat_, false);
  tell_others();
}

std::uint64_t Relay::now() const { return network_.clock().monotonic_ms(); }

// ---- topics ----------------------------------------------------------------

void Relay::want(Bytes channel) {
  const Bucket bucket = bucket_of(channel);
  Share& share = share_[bucket];
  if (!share.mine) return;
  const auto [found, made] = share.topics.try_emplace(std::string(channel));
  auto& [name, topic] = *found;
  const auto at = zone_.position(channel);
  const bool anchored = at && at->epoch != 0;
  if (made) {
    ++topics_;
    // By another worker: checks up to here have passed it by.
    if (anchored) forget(bucket);
    ask(bucket, name, topic);
  } else if (topic.state == State::following && at && !anchored) {
    // The zone may have dropped it and made it anew.
    place(name);
  }
}

Relay::Topic* Relay::find(Bytes channel) {
  Topics& topics = share_[bucket_of(channel)].topics;
  const auto found = topics.find(std::string(channel));
  return found == topics.end() ? nullptr : &found->second;
}

/// Where the shard isn't up, it is asked for when it is.
void Relay::ask(Bucket bucket, const std::string& channel, Topic& topic) {
  const Shard shard = engine_.shard_of(bucket);
  if (topic.sent || !engine_.is_up(shard)) return;
  topic.sent = true;
  share_[bucket].asked_of = shard;
  ++probe(shard).asked;
  engine_.listen(bucket, store_.keys().topic(channel));
}

/// After a connection: bucket by bucket, so that neither side has to hold
/// millions of names at a time.
void Relay::ask_more(Shard shard) {
  Probe& probe = this->probe(shard);
  while (probe.asked < kAsked && probe.next < kBuckets) {
    const Bucket bucket = probe.next++;
    if (engine_.shard_of(bucket) != shard) continue;
    for (auto& [channel, topic] : share_[bucket].topics) {
      ask(bucket, channel, topic);
    }
  }
}

/// What wasn't whole is looked at again when it is listened to.
void Relay::begin_anew(Bucket bucket) {
  for (auto& [channel, topic] : share_[bucket].topics) {
    const bool whole =
        topic.state == State::following || topic.state == State::asked;
    topic = {.again = topic.again || !whole};
  }
}

/// Of each topic that was asked for, once, whether it is wanted yet or not.
void Relay::on_listening(Bytes topic) {
  const std::string channel(store_.keys().channel_of(topic));
  if (hears_probe(channel)) return;
  Topic* const found = find(channel);
  if (found != nullptr && found->state == State::asked && found->sent) {
    listened(channel, *found);
  }
  confirm(bucket_of(channel));
}

void Relay::listened(const std::string& channel, Topic& topic) {
  const auto at = zone_.position(channel);
  if (!at || at->epoch == 0) return place(channel);
  topic.state = State::following;
  probe(engine_.shard_of(bucket_of(channel))).check_due = true;
  if (std::exchange(topic.again, false)) repair(channel);
}

void Relay::on_up(Shard shard) {
  evidence_.reconnected(
      [&](Bucket bucket) { return engine_.shard_of(bucket) == shard; });
  probes_.erase(shard);
  probe(shard).check_due = true;
  for (Bucket bucket = 0; bucket < kBuckets; ++bucket) {
    if (engine_.shard_of(bucket) == shard) begin_anew(bucket);
  }
  listen_to_probe(shard);
  ask_more(shard);
}

void Relay::on_down(Shard shard) {
  probes_.erase(shard);
  counters_.add(Counter::redis_reconnects);
}

/// Also a probe may have been in it. What happened to the bucket between the
/// two servers is compared when its topics are listened to.
void Relay::on_moved(Bucket bucket) {
  evidence_.reconnected([=](Bucket one) { return one == bucket; });
  forget(bucket);
  take_back(bucket);
  begin_anew(bucket);
  for (auto& [channel, topic] : share_[bucket].topics) {
    ask(bucket, channel, topic);
  }
  for (auto& [shard, probe] : probes_) {
    if (bucket_of(probe.channel) != bucket || !engine_.is_up(shard)) continue;
    if (engine_.shard_of(bucket) != shard) name_probe(shard, probe);
    listen_to_probe(shard);
    probe.check_due = true;
  }
}

/// What was asked for where the bucket was isn't waited for any more.
void Relay::take_back(Bucket bucket) {
  const Share& share = share_[bucket];
  const auto found = probes_.find(share.asked_of);
  if (found == probes_.end()) return;
  const auto asked = static_cast<std::size_t>(
      std::ranges::count_if(share.topics, [](const auto& item) {
        return item.second.state == State::asked && item.second.sent;
      }));
  found->second.asked -= std::min(found->second.asked, asked);
  if (engine_.is_up(share.asked_of)) check_if_due(share.asked_of);
}

// ---- shares ----------------------------------------------------------------

void Relay::tick() {
  look_at_others();
  sweep();
  if (!check_alarm_->is_set()) check_alarm_->set(options_.check_ms);
  for (auto& [shard, probe] : probes_) {
    // While nothing is read, no probe can come.
    const bool late = probe.sent_at != 0 && stalled_.empty() &&
                      now() - probe.sent_at > options_.timeout_ms;
    if (!late || !engine_.is_up(shard)) continue;
    probe.sent_at = 0;
    engine_.reconnect(shard, "what is published doesn't come back");
    return;  // the map may be another now
  }
}

void Relay::give_way() {
  gives_way_ = true;
  stand();
}

void Relay::look_at_others() {
  stand();
  share_out();
}

void Relay::share_out() {
  (void)shares_.update(zone_.relays());
  bool gained = false;
  for (Bucket bucket = 0; bucket < kBuckets; ++bucket) {
    Share& share = share_[bucket];
    const bool mine = shares_.owner(bucket) == seat_;
    // One that was about to leave has missed who came since.
    if (mine && (!share.mine || share.leaves_at != 0)) gained = true;
    if (mine) {
      share.mine = true;
      share.leaves_at = 0;
    } else if (share.mine && share.leaves_at == 0) {
      share.leaves_at = now() + kOverlapMs;
    } else if (share.mine && share.leaves_at <= now()) {
      drop(bucket);
    }
  }
  if (gained) {
    look_again();
    // What their last relay anchored until it let go of them.
    look_at_ = now() + kOverlapMs + kSkewMs;
  } else if (look_at_ != 0 && look_at_ <= now()) {
    look_at_ = 0;
    look_again();
  }
}

void Relay::look_again() {
  scanning_ = true;
  scan_cursor_ = 0;
  scan_alarm_->set(0);
}

void Relay::drop(Bucket bucket) {
  Share& share = share_[bucket];
  for (const auto& [channel, topic] : share.topics) {
    engine_.ignore(bucket, store_.keys().topic(channel));
  }
  topics_ -= share.topics.size();
  share = {};
  share.known.bucket = bucket;
}

/// For buckets that came: which of their channels there are. Also of those that
/// nobody subscribes to who are anchored: whoever comes to them doesn't ask
/// for what is there already. The sweep lets them go.
void Relay::scan() {
  std::size_t looked = 0;
  while (scanning_ && looked < kScanned) {
    const auto page = zone_.channels({.cursor = scan_cursor_});
    if (!page) break;  // the lock: soon again
    for (const auto& channel : page->channels) want_if_ours(channel);
    looked += page->channels.size() + 1;
    scan_cursor_ = page->cursor;
    if (scan_cursor_ == 0) scanning_ = false;
  }
  if (scanning_) scan_alarm_->set(10);
}

/// Not those that are this node's alone.
void Relay::want_if_ours(const shm::ChannelInfo& channel) {
  if (hub::stays_on_node(channel.name) || !share_[bucket_of(channel.name)].mine)
    return;
  if (channel.subscribers == 0 && channel.position.epoch == 0) return;
  want(channel.name);
}

/// Lets go of channels that nobody on the node subscribes to: each is looked at
/// once in the time for which topics linger.
void Relay::sweep() {
  const std::uint64_t seconds = options_.linger_ms / 1000 + 1;
  std::size_t looked = 0;
  for (Bucket n = 0; n * seconds < kBuckets && looked < kSwept; ++n) {
    Share& share = share_[swept_];
    std::erase_if(share.topics, [&](const auto& item) {
      ++looked;
      const auto& [channel, topic] = item;
      if (topic.state != State::following) return false;
      const auto released = zone_.release(channel);
      if (!released || !*released) return false;
      engine_.ignore(swept_, store_.keys().topic(channel));
      --topics_;
      return true;
    });
    swept_ = static_cast<Bucket>((swept_ + 1) % kBuckets);
  }
}

}  // namespace paperboy::broker::redis
