// From messages to the zone.
#include "broker/redis_entry.hpp"
#include "broker/redis_relay.hpp"
#include "hub/key.hpp"
#include "hub/order.hpp"

namespace paperboy::broker::redis {

namespace {

// What waits for one channel's place or repair; beyond it is read again.
constexpr std::size_t kMaxPending = 1024UL * 1024;  // bytes

constexpr std::uint64_t kStallMs = 10;  // between two tries

Draft as_draft(Bytes channel, const Entry& entry, const Retention& keep) {
  return {.channel = channel,
          .kind = entry.kind,
          .event = entry.event,
          .data = entry.data,
          .extra = entry.extra,
          .keep = keep};
}

}  // namespace

/// In the zone what is kept is a cache: the oldest may always go.
Retention Relay::keep(Bytes channel) const {
  Retention keep = channel.starts_with('\0')
                       ? hub::kOwnKept
                       : rules_.find(hub::channel_name(channel)).keep;
  keep.evict = true;
  return keep;
}

void Relay::on_message(Bytes topic, Bytes message) {
  const std::string channel(store_.keys().channel_of(topic));
  if (is_probe(channel, message)) return;
  if (Topic* const found = find(channel)) take(*found, channel, message);
}

void Relay::take(Topic& topic, const std::string& channel, Bytes message) {
  if (topic.state == State::asked) return;
  if (topic.state != State::following) {
    hold(topic, message);
    hasten(channel, topic);
  } else if (!stalled_.empty()) {
    stalled_.emplace_back(channel, message);
  } else if (!import(topic, channel, message)) {
    stall(channel, message);
  }
}

/// False: the zone takes nothing at the moment.
bool Relay::import(Topic& topic, const std::string& channel, Bytes message) {
  const auto entry = parse_entry(message);
  if (!entry) return true;  // somebody else's
  if (entry->removal) return zone_.remove_history(channel).ok();
  const auto imported =
      zone_.import(as_draft(channel, *entry, keep(channel)), entry->position);
  if (!imported) {
    const ErrorCode why = imported.error().code;
    if (why == ErrorCode::too_large || why == ErrorCode::not_found) return true;
    return false;
  }
  switch (*imported) {
    case shm::Import::appended:
      topic.futile = false;
      counters_.add(Counter::redis_imported);
      note(*entry, bucket_of(channel));
      break;
    case shm::Import::old:
      break;
    case shm::Import::hole:
    case shm::Import::foreign:
      // What a repair couldn't find is of a past that is no more.
      if (std::exchange(topic.futile, false)) break;
      hold(topic, message);
      repair(channel);
  }
  return true;
}

/// What is a channel's next is no stranger's word, nor of a past that is over.
void Relay::note(const Entry& entry, Bucket bucket) {
  evidence_.note_message(bucket, entry.replication_id, entry.sequence);
}

void Relay::hold(Topic& topic, Bytes message) {
  if (!topic.pending) topic.pending = std::make_unique<Pending>();
  Pending& pending = *topic.pending;
  if (pending.lost || pending.bytes + message.size() > kMaxPending) {
    pending.lost = true;
    return;
  }
  pending.bytes += message.size();
  pending.messages.emplace_back(message);
}

/// It is where it should be: what came meanwhile comes next.
void Relay::follow(const std::string& channel, Topic& topic) {
  topic.state = State::following;
  topic.refusals = 0;
  const auto pending = std::move(topic.pending);
  const bool again = std::exchange(topic.again, false);
  if (pending) {
    for (const std::string& message : pending->messages) {
      take(topic, channel, message);
    }
  }
  const bool lost = again || (pending && pending->lost);
  if (lost && topic.state == State::following) repair(channel);
}

// ---- a zone without room ---------------------------------------------------

/// A worker has yet to read what fills the log: the server has to wait.
void Relay::stall(const std::string& channel, Bytes message) {
  stalled_.emplace_back(channel, message);
  engine_.read(false);
  stall_alarm_->set(kStallMs);
}

void Relay::go_on() {
  while (!stalled_.empty()) {
    const auto& [channel, message] = stalled_.front();
    Topic* const topic = find(channel);
    if (topic != nullptr && topic->state == State::following) {
      if (!import(*topic, channel, message)) {
        stall_alarm_->set(kStallMs);
        return;
      }
    } else if (topic != nullptr && topic->state != State::asked) {
      hold(*topic, message);
    } else if (topic != nullptr) {
      topic->again = true;
    }
    stalled_.pop_front();
  }
  engine_.read(true);
  for (auto& [shard, probe] : probes_) {
    if (probe.sent_at != 0) probe.sent_at = now();
  }
}

}  // namespace paperboy::broker::redis
