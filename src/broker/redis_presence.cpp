#include "broker/redis_presence.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <unordered_set>
#include <utility>

#include "broker/redis_member.hpp"

namespace paperboy::broker {

namespace {

// Of one call, and calls that may wait for their answers.
constexpr std::size_t kMostMembers = 256;
constexpr std::size_t kMostBytes = 256UL * 1024;
constexpr std::uint32_t kMostFlying = 64;

constexpr std::uint32_t kNoLimit = UINT32_MAX;

constexpr std::uint64_t kAgainMs = 500;
constexpr std::uint64_t kQuietMs = 10'000;  // between two complaints

constexpr Error kTooLarge{ErrorCode::too_large,
                          "what is known of the client is more than a member "
                          "may have"};
constexpr Error kUnavailable{ErrorCode::unavailable,
                             "Redis can't be asked who is there: try again"};

// KEYS: a channel's members. ARGV: the bytes that the answer may have at most,
// and what each of its words costs here beside its own
// Answer: as of HGETALL
constexpr Bytes kMembers = R"lua(
local most, cost = tonumber(ARGV[1]), tonumber(ARGV[2])
local bytes = 2 * cost * redis.call('HLEN', KEYS[1])
local all = bytes <= most and redis.call('HGETALL', KEYS[1]) or {}
for _, word in ipairs(all) do bytes = bytes + #word end
if bytes > most then
  return redis.error_reply('TOOMANY members are in a channel to be told')
end
return all
)lua";

/// HOLDER/SERIAL.
struct Field {
  std::string holder;
  std::uint32_t serial = 0;
};

Field parse_field(Bytes text) {
  const std::size_t slash = text.find('/');
  if (slash == Bytes::npos) return {};
  Field field{.holder = std::string(text.substr(0, slash))};
  (void)std::from_chars(text.data() + slash + 1, text.data() + text.size(),
                        field.serial);
  return field;
}

}  // namespace

RedisPresence::RedisPresence(hub::Broker& broker, redis::Engine& engine,
                             redis::Store& store, redis::Network& network,
                             const redis::LeaseTimes& times)
    : broker_(broker),
      engine_(engine),
      store_(store),
      network_(network),
      flush_alarm_(network.alarm([this] { flush(); })),
      burial_(engine, store,
              [this](const std::string& holder, bool done) {
                buried(holder, done);
              }),
      lease_(engine, network, store.keys(), times, *this) {}

/// Who is still there goes with its lease.
RedisPresence::~RedisPresence() {
  if (lease_.held()) write_queue(kNoLimit);
  lease_.give_up(inside_.empty());
  *self_ = nullptr;
}

// ---- coming and going ------------------------------------------------------

Result<hub::MemberRef> RedisPresence::enter(hub::ChannelRef ref,
                                            const Member& member,
                                            bool announced) {
  const std::size_t size = member.client.size() + member.user.size() +
                           member.conn_info.size() + member.chan_info.size();
  if (size > Member::kMaxLength) return kTooLarge;
  do {
    ++last_;
  } while (own_.contains(last_));
  Own& own = own_[last_];
  own.channel = broker_.name(ref);
  own.packed = redis::pack(member, announced);
  own.announced = announced;
  inside_[own.channel].push_back(last_);
  queue(last_);
  return hub::MemberRef{last_};
}

void RedisPresence::leave(hub::MemberRef ref) {
  const auto serial = static_cast<Serial>(ref);
  const auto found = own_.find(serial);
  Own& own = found->second;
  const auto there = inside_.find(own.channel);
  std::erase(there->second, serial);
  if (there->second.empty()) inside_.erase(there);
  own.inside = false;
  if (own.written) {
    queue(serial);
  } else {
    own_.erase(found);
  }
}

// ---- writing ---------------------------------------------------------------

void RedisPresence::queue(Serial serial) {
  if (std::exchange(own_.at(serial).queued, true)) return;
  queue_.push_back(serial);
  if (!flush_alarm_->is_set()) flush_alarm_->set(0);
}

void RedisPresence::flush() {
  if (!lease_.held()) return;
  write_queue(kMostFlying);
  if (is_settled()) bury_retired();
}

/// What can't be written now stays.
void RedisPresence::write_queue(std::uint32_t most_flying) {
  std::vector<Serial> later;
  while (!queue_.empty() && flying_ < most_flying) {
    for (const auto& [bucket, batch] : next_batches(later)) {
      write(bucket, batch);
    }
  }
  queue_.insert(queue_.end(), later.begin(), later.end());
}

/// A share of the queue, by bucket where each may be on another server. Adds
/// to `later` what can't be reached.
std::map<redis::Bucket, RedisPresence::Batch> RedisPresence::next_batches(
    Batch& later) {
  std::map<redis::Bucket, Batch> batches;
  std::size_t taken = 0;
  std::size_t bytes = 0;
  std::size_t at = 0;
  for (; at < queue_.size() && taken < kMostMembers && bytes < kMostBytes;
       ++at) {
    const auto found = own_.find(queue_[at]);
    if (found == own_.end()) continue;  // it left before
    Own& own = found->second;
    const redis::Bucket bucket = redis::bucket_of(own.channel);
    if (!engine_.is_up(engine_.shard_of(bucket))) {
      later.push_back(queue_[at]);
      continue;
    }
    own.queued = false;
    ++taken;
    bytes += own.packed.size() + own.channel.size();
    batches[engine_.is_clustered() ? bucket : 0].push_back(queue_[at]);
  }
  queue_.erase(queue_.begin(),
               queue_.begin() + static_cast<std::ptrdiff_t>(at));
  return batches;
}

void RedisPresence::write(redis::Bucket bucket, const Batch& batch) {
  std::vector<std::string> keys;
  std::vector<std::string> words;
  for (const Serial serial : batch) {
    Own& own = own_.at(serial);
    own.written = true;
    ++own.flying;
    keys.push_back(
        store_.keys().held(redis::bucket_of(own.channel), lease_.holder()));
    keys.push_back(store_.keys().members(own.channel));
    words.push_back(lease_.holder());
    words.push_back(std::to_string(serial));
    words.push_back(own.channel);
    words.push_back(own.inside ? own.packed : std::string());
  }
  ++flying_;
  engine_.call(bucket, redis::Script::attend, keys, words,
               [self = self_, batch,
                incarnation = incarnation_](const Result<redis::Reply>& reply) {
                 if (*self == nullptr) return;
                 if (reply && reply->is_error()) (*self)->complain(reply->text);
                 const bool done = reply && !reply->is_error();
                 (*self)->written(batch, incarnation, done);
               });
}

void RedisPresence::written(const Batch& batch, std::uint32_t incarnation,
                            bool done) {
  if (incarnation != incarnation_) return;
  --flying_;
  for (const Serial serial : batch) {
    Own& own = own_.at(serial);
    --own.flying;
    if (!done && !std::exchange(own.queued, true)) queue_.push_back(serial);
    if (!own.inside && !own.queued && own.flying == 0) own_.erase(serial);
  }
  if (!done) {
    flush_alarm_->set(kAgainMs);
  } else if (!queue_.empty() || flying_ == 0) {
    flush();
  }
}

void RedisPresence::complain(Bytes text) {
  const std::uint64_t now = network_.clock().monotonic_ms();
  if (now < quiet_until_) return;
  quiet_until_ = now + kQuietMs;
  std::string line("Redis refuses who is there: ");
  network_.log(redis::LogLevel::error, line.append(text.substr(0, 200)));
}

// ---- the lease -------------------------------------------------------------

void RedisPresence::on_up(redis::Shard shard) {
  std::string identity(engine_.replication_id(shard));
  std::string& known = identities_[shard];
  if (!known.empty() && known != identity) doubts_ = true;
  if (replaces_another(shard)) doubts_ = true;
  known = std::move(identity);
  if (!flush_alarm_->is_set()) flush_alarm_->set(0);
  if (!doubts_ && shard != engine_.shard_of(0)) return;
  // Under its name of before: what became of it?
  lease_.renew([this](const Result<Done>& renewed) {
    if (renewed && std::exchange(doubts_, false)) begin_anew(false);
  });
}

/// It has buckets of a server that has none any more: in a cluster a replica
/// took its place, and may not have had all.
bool RedisPresence::replaces_another(redis::Shard shard) {
  const auto shards = engine_.shards();
  bool replaces = false;
  for (redis::Bucket bucket = 0; bucket < redis::kBuckets; ++bucket) {
    if (engine_.shard_of(bucket) != shard) continue;
    const auto before = std::exchange(homes_[bucket], shard);
    replaces = replaces ||
               (before && std::ranges::find(shards, *before) == shards.end());
  }
  return replaces;
}

void RedisPresence::on_held() { flush(); }

void RedisPresence::on_lost(bool buried) {
  doubts_ = false;
  begin_anew(buried);
}

/// `buried`: members are being told to have left, or have been: they join when
/// that is done.
void RedisPresence::begin_anew(bool buried) {
  retired_[lease_.holder()] = buried;
  lease_.anew();
  ++incarnation_;
  flying_ = 0;
  queue_.clear();
  std::erase_if(own_, [](const auto& item) { return !item.second.inside; });
  for (auto& [serial, own] : own_) {
    own.written = false;
    own.flying = 0;
    own.queued = true;
    own.joins_again = own.joins_again || (buried && own.announced);
    queue_.push_back(serial);
  }
}

void RedisPresence::tell_joins() {
  for (auto& [serial, own] : own_) {
    if (!own.inside || !std::exchange(own.joins_again, false)) continue;
    const auto member = redis::unpack(own.packed);
    std::string who;
    append_member(who, *member);
    store_.signal({.channel = own.channel, .event = Event::join, .data = who},
                  [](const auto&) {});
  }
}

void RedisPresence::on_taken(const std::string& holder) {
  if (!is_own(holder)) burial_.bury(holder, true);
}

void RedisPresence::bury_retired() {
  for (const auto& [holder, tells] : retired_) burial_.bury(holder, tells);
}

void RedisPresence::buried(const std::string& holder, bool done) {
  if (done) {
    const auto own = retired_.extract(holder);
    if (own && own.mapped()) tell_joins();
    lease_.buried(holder);
  } else if (!flush_alarm_->is_set()) {
    flush_alarm_->set(kAgainMs);
  }
}

// ---- reading ---------------------------------------------------------------

void RedisPresence::members(Bytes channel, const Members& reply) {
  find(channel, reply);
}

void RedisPresence::stats(Bytes channel, const Stats& reply) {
  find(channel, [reply](const Result<Found>& found) {
    if (!found) return reply(found.error());
    std::unordered_set<Bytes> users;
    for (const MemberRecord& member : *found) users.insert(member.user);
    reply(PresenceStats{found->size(), users.size()});
  });
}

void RedisPresence::find(Bytes channel, const FoundReply& reply) {
  const redis::Bucket bucket = redis::bucket_of(channel);
  engine_.command(
      bucket,
      {"EVAL", std::string(kMembers), "1", store_.keys().members(channel),
       std::to_string(store_.largest_read()),
       std::to_string(sizeof(redis::Reply))},
      [self = self_, name = std::string(channel),
       reply](const Result<redis::Reply>& fields) {
        if (*self == nullptr) return;
        if (fields && fields->is_error()) {
          (*self)->complain(fields->text);
        }
        if (!fields || fields->is_error()) {
          return reply(kUnavailable);
        }
        (*self)->sort_out(name, fields->items, reply);
      });
}

/// Who isn't known to live may have come just now.
void RedisPresence::sort_out(const std::string& channel, const Fields& fields,
                             const FoundReply& reply) {
  if (lease_.is_fresh() && !has_strangers(fields)) {
    return reply(living(channel, fields));
  }
  lease_.renew([this, channel, fields, reply](const Result<Done>& renewed) {
    if (!renewed) return reply(kUnavailable);
    reply(living(channel, fields));
  });
}

bool RedisPresence::is_own(const std::string& holder) const {
  return holder == lease_.holder() || retired_.contains(holder);
}

bool RedisPresence::has_strangers(const Fields& fields) const {
  for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
    const Field field = parse_field(fields[i].text);
    if (!is_own(field.holder) && !lease_.lives(field.holder)) return true;
  }
  return false;
}

/// Those of others as they were read, and our own. What nobody will remove any
/// more is removed here.
RedisPresence::Found RedisPresence::living(const std::string& channel,
                                           const Fields& fields) {
  Found found;
  std::unordered_set<std::string> clients;
  const auto add = [&](const std::string& packed) {
    const auto member = redis::unpack(packed);
    if (!member || !clients.emplace(member->client).second) return;
    found.emplace_back(*member);
  };
  std::unordered_set<Serial> seen;
  std::vector<std::string> gone;
  const auto own = inside_.find(channel);
  if (own != inside_.end()) {
    for (const Serial serial : own->second) add(own_.at(serial).packed);
  }
  for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
    const Field field = parse_field(fields[i].text);
    if (field.holder == lease_.holder()) {
      seen.insert(field.serial);
      if (!own_.contains(field.serial)) gone.push_back(fields[i].text);
    } else if (lease_.lives(field.holder)) {
      if (!is_own(field.holder)) add(fields[i + 1].text);
    } else if (!is_own(field.holder) && !lease_.is_dying(field.holder)) {
      gone.push_back(fields[i].text);
    }
  }
  if (!gone.empty()) drop(channel, gone);
  if (own != inside_.end()) write_missing(own->second, seen);
  return found;
}

void RedisPresence::drop(const std::string& channel,
                         const std::vector<std::string>& fields) {
  std::vector<std::string> words = {"HDEL", store_.keys().members(channel)};
  words.insert(words.end(), fields.begin(), fields.end());
  engine_.command(redis::bucket_of(channel), words, [](const auto&) {});
}

/// Redis has them no more: it was out of memory, or somebody deleted them.
void RedisPresence::write_missing(const std::vector<Serial>& inside,
                                  const std::unordered_set<Serial>& seen) {
  for (const Serial serial : inside) {
    const Own& own = own_.at(serial);
    if (own.written && own.flying == 0 && !seen.contains(serial)) queue(serial);
  }
}

}  // namespace paperboy::broker
