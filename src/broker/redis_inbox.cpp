#include "broker/redis_inbox.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "broker/redis_connection.hpp"
#include "broker/redis_entry.hpp"
#include "hub/key.hpp"

namespace paperboy::broker::redis {

namespace {

constexpr Bytes kGroup = "paperboy";

// As many as are no more than a reply may have (Options::max_reply), each being
// as large as it may be.
constexpr Bytes kCount = "50";

// So many may be left behind before nothing new is read any more.
constexpr std::size_t kMostLeft = 1000;

constexpr std::uint64_t kQuietMs = 10'000;  // between two complaints

// A consumer that has nothing and was silent for so many times as long as
// things are left there is gone.
constexpr std::uint64_t kGone = 6;

// An idempotency key, until its entry is settled, and then: the entry could
// come back where Redis loses its last writes.
constexpr std::uint64_t kKeyMs = 24UL * 3'600'000;
constexpr Bytes kSettledKeyMs = "300000";

// Of all fields of an entry, and what each of their words costs here; what is
// larger isn't even read.
constexpr std::size_t kMaxEntry = kMaxInboxData + 16UL * 1024;
constexpr std::size_t kWord = sizeof(Reply);

// KEYS: the stream. ARGV: group, this consumer, the time after which what
// others have taken is taken over, kCount, kMaxEntry, the time after which a
// silent consumer is removed, kWord, the id behind which to look (0: it begins)
// Answers how many of the next entries are this consumer's to be read again,
// then the ids of those that were too large.
constexpr Bytes kSweep = R"lua(
local key, group, own, count = KEYS[1], ARGV[1], ARGV[2], ARGV[4]
local most, dead, cost = tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7]
local from = '(' .. ARGV[8]
if ARGV[8] == '0' then
  from = '-'
  redis.pcall('XGROUP', 'CREATE', key, group, '0', 'MKSTREAM')
  redis.call('XAUTOCLAIM', key, group, own, ARGV[3], '0-0', 'COUNT', count,
             'JUSTID')
  for _, info in ipairs(redis.call('XINFO', 'CONSUMERS', key, group)) do
    local one = {}
    for i = 1, #info, 2 do one[info[i]] = info[i + 1] end
    if one.pending == 0 and one.idle > dead and one.name ~= own then
      redis.call('XGROUP', 'DELCONSUMER', key, group, one.name)
    end
  end
end
local answer = {0}
for _, taken in ipairs(redis.call('XPENDING', key, group, from, '+', count,
                                  own)) do
  local id, bytes = taken[1], 0
  local entry = redis.call('XRANGE', key, id, id)[1]
  for _, word in ipairs(entry and entry[2] or {}) do
    bytes = bytes + #word + cost
  end
  if entry and bytes <= most then
    answer[1] = answer[1] + 1
  else
    redis.call('XACK', key, group, id)
    redis.call('XDEL', key, id)
    if entry then answer[#answer + 1] = id end
  end
end
return answer
)lua";

// KEYS: the stream. ARGV: group, ids.
constexpr Bytes kSettle = R"lua(
redis.call('XACK', KEYS[1], unpack(ARGV))
return redis.call('XDEL', KEYS[1], unpack(ARGV, 2))
)lua";

/// The server is another one, or begins anew: nothing to complain of.
bool is_passing(Bytes error) {
  static constexpr std::array<Bytes, 7> kWords{
      "MOVED ",     "ASK ",     "TRYAGAIN ", "CLUSTERDOWN ",
      "UNBLOCKED ", "NOGROUP ", "LOADING "};
  return std::ranges::any_of(
      kWords, [&](Bytes word) { return error.starts_with(word); });
}

/// As it was given, for a complaint.
Bytes channel_in(const Reply& fields) {
  for (std::size_t i = 0; i + 1 < fields.items.size(); i += 2) {
    if (fields.items[i].text == "channel") return fields.items[i + 1].text;
  }
  return {};
}

/// The entry itself isn't to blame.
bool is_worth_another_try(ErrorCode code) {
  return code == ErrorCode::unavailable || code == ErrorCode::internal ||
         code == ErrorCode::log_full || code == ErrorCode::zone_full ||
         code == ErrorCode::too_many_channels;
}

}  // namespace

Inbox::Inbox(hub::Broker& broker, const hub::RuleSet& rules,
             const Options& options, Network& network, Engine& engine,
             const Keys& keys, Counters& counters)
    : broker_(broker),
      rules_(rules),
      network_(network),
      engine_(engine),
      keys_(keys),
      counters_(counters),
      stream_(keys.inbox()),
      name_(epoch_text(network.random())),
      idle_ms_(options.inbox_idle_ms),
      backoff_(network, options),
      pause_(network.alarm([this] { step(); })) {}

Inbox::~Inbox() { *self_ = nullptr; }

std::uint64_t Inbox::now() const { return network_.clock().monotonic_ms(); }

ReplyHandler Inbox::later(void (Inbox::*member)(const Result<Reply>&)) {
  return [self = self_, member](const Result<Reply>& answer) {
    if (*self != nullptr) ((*self)->*member)(answer);
  };
}

// ---- one after another -----------------------------------------------------

void Inbox::tick(bool ours) {
  ours_ = ours;
  if (!busy_) step();
}

void Inbox::step() {
  busy_ = ours_ && engine_.is_up(engine_.shard_of(kBucket));
  if (!busy_) {
    sweep_at_ = 0;
  } else if (now() >= sweep_at_) {
    begin_pass();
  } else if (left_ < kMostLeft) {
    read(true);
  } else {
    pause_->set(sweep_at_ - now());
  }
}

/// From the first that was taken and not settled.
void Inbox::begin_pass() {
  after_ = "0";
  left_ = 0;
  stuck_.clear();
  asked_ = false;
  sweep();
}

/// Something doesn't work now. What was read is still the group's.
void Inbox::pause() {
  sweep_at_ = 0;
  pause_->set(backoff_.next_ms());
}

/// Some couldn't be published.
void Inbox::retry_soon() {
  sweep_at_ = std::min(sweep_at_, now() + backoff_.next_ms());
}

bool Inbox::failed(const Result<Reply>& answer, Bytes what) {
  if (answer && !answer->is_error()) return false;
  if (answer && !is_passing(answer->text)) {
    complain(std::string(what) + " answers " + printable(answer->text));
  }
  pause();
  return true;
}

// ---- sweep -----------------------------------------------------------------

void Inbox::sweep() {
  engine_.command(
      kBucket,
      {"EVAL", std::string(kSweep), "1", stream_, std::string(kGroup), name_,
       std::to_string(idle_ms_), std::string(kCount), std::to_string(kMaxEntry),
       std::to_string(kGone * idle_ms_), std::to_string(kWord), after_},
      later(&Inbox::on_swept));
}

void Inbox::on_swept(const Result<Reply>& answer) {
  if (failed(answer, "XAUTOCLAIM")) return;
  for (std::size_t i = 1; i < answer->items.size(); ++i) {
    refuse(answer->items[i].text, {}, "it is over 1 MB, or in many pieces");
  }
  behind_ = !answer->items.empty() && answer->items[0].integer > 0;
  if (!behind_ && answer->items.size() > 1) return sweep();
  if (after_ == "0") sweep_at_ = now() + idle_ms_;
  if (behind_) return read(false);
  if (left_ > 0) retry_soon();
  step();
}

// ---- read ------------------------------------------------------------------

void Inbox::read(bool fresh) {
  std::vector<std::string> words{"XREADGROUP", "GROUP", std::string(kGroup),
                                 name_,        "COUNT", std::string(kCount)};
  const std::vector<std::string> what{"STREAMS", stream_, fresh ? ">" : after_};
  if (asked_) {
    // Only what doesn't block follows it.
    words.insert(words.end(), what.begin(), what.end());
    return engine_.command(kBucket, words, later(&Inbox::on_read));
  }
  const std::uint64_t left = sweep_at_ - std::min(sweep_at_, now());
  const std::uint64_t block_ms =
      std::clamp<std::uint64_t>(left, 1, idle_ms_ / 2);
  words.insert(words.end(), {"BLOCK", std::to_string(block_ms)});
  words.insert(words.end(), what.begin(), what.end());
  engine_.command_and_block(kBucket, words, block_ms, later(&Inbox::on_read));
}

/// Of each stream its name and its entries; nil: nothing came.
void Inbox::on_read(const Result<Reply>& answer) {
  if (answer && answer->text.starts_with("ASK ") && !asked_) {
    asked_ = true;
    return read(!behind_);
  }
  if (failed(answer, "XREADGROUP")) return;
  const auto& streams = answer->items;
  if (!streams.empty() && streams[0].items.size() == 2) {
    take(streams[0].items[1]);
  } else if (asked_) {
    pause();
  } else {
    go_on();
  }
}

void Inbox::take(const Reply& entries) {
  batch_ = Batch();
  batch_.waits = entries.items.size() + 1;
  // Where others have settled all of a page, the pass is over.
  if (entries.items.empty()) behind_ = false;
  for (const Reply& entry : entries.items) {
    if (entry.items.size() == 2) {
      batch_.last = entry.items[0].text;
      take_one(entry.items[0].text, entry.items[1]);
    } else {
      arrive();
    }
  }
  arrive();
}

/// Without fields it was deleted since it was taken.
void Inbox::take_one(const std::string& id, const Reply& fields) {
  if (fields.kind == Reply::Kind::nil) {
    batch_.settled.push_back(id);
    return arrive();
  }
  const auto entry = parse_inbox_entry(fields);
  if (entry && stuck_.contains(entry->channel)) {
    ++batch_.failed;
    return arrive();
  }
  if (entry) return publish(id, *entry);
  batch_.settled.push_back(id);
  refuse(id, channel_in(fields), entry.error().message);
  arrive();
}

// ---- publish ---------------------------------------------------------------

void Inbox::publish(const std::string& id, const InboxEntry& entry) {
  const std::string key =
      entry.idempotency_key.empty() ? "inbox:" + id : entry.idempotency_key;
  Draft draft{.channel = entry.channel,
              .kind = entry.kind,
              .data = entry.data,
              .idempotency_key = key,
              .idempotency_ms = kKeyMs};
  rules_.find(hub::channel_name(entry.channel)).apply_to(draft);
  draft.best_effort = false;  // it waits where it is
  broker_.publish(draft, [self = self_, id, channel = entry.channel,
                          key](const Result<hub::Published>& published) {
    if (*self == nullptr) return;
    (*self)->on_published(id, channel, key, published);
  });
}

/// What too few replicas have is no less safe there than in the inbox.
void Inbox::on_published(const std::string& id, const std::string& channel,
                         const std::string& key,
                         const Result<hub::Published>& published) {
  const bool done =
      published || published.error().code == ErrorCode::not_replicated;
  if (done) {
    counters_.add(Counter::redis_inbox);
    batch_.settled.push_back(id);
    if (!published || !published->repeated) {
      batch_.keys.emplace_back(channel, key);
    }
  } else if (is_worth_another_try(published.error().code)) {
    ++batch_.failed;
    stuck_.insert(channel);
  } else {
    batch_.settled.push_back(id);
    refuse(id, hub::channel_name(channel), published.error().message);
  }
  arrive();
}

void Inbox::refuse(const std::string& id, Bytes channel, Bytes why) {
  counters_.add(Counter::redis_inbox_refused);
  std::string line = "entry " + printable(id) + " is thrown away: ";
  line += why;
  if (!channel.empty()) {
    line += " (channel \"" + printable(channel) + "\")";
  }
  complain(line);
}

// ---- settle ----------------------------------------------------------------

void Inbox::arrive() {
  if (--batch_.waits > 0) return;
  if (batch_.settled.empty()) return go_on();
  settle();
}

void Inbox::settle() {
  std::vector<std::string> words{"EVAL", std::string(kSettle), "1", stream_,
                                 std::string(kGroup)};
  words.insert(words.end(), batch_.settled.begin(), batch_.settled.end());
  engine_.command(kBucket, words, later(&Inbox::on_settled));
}

void Inbox::on_settled(const Result<Reply>& answer) {
  if (failed(answer, "XACK")) return;
  let_expire();
  go_on();
}

void Inbox::let_expire() {
  for (const auto& [channel, key] : batch_.keys) {
    engine_.command(bucket_of(channel),
                    {"PEXPIRE", keys_.idempotency(channel, key),
                     std::string(kSettledKeyMs), "LT"},
                    [](const Result<Reply>&) {});
  }
}

/// To the next page of what was taken before; else to what is new, unless
/// nothing at all can be published.
void Inbox::go_on() {
  const Batch batch = std::exchange(batch_, {});
  left_ += batch.failed;
  if (behind_) {
    after_ = batch.last;
    return sweep();
  }
  if (batch.failed == 0) {
    if (left_ == 0) backoff_.reset();
    return step();
  }
  retry_soon();
  if (!batch.settled.empty()) return step();
  pause_->set(std::max(sweep_at_, now() + 1) - now());
}

/// What is wrong once is wrong many times a second.
void Inbox::complain(const std::string& line) {
  if (now() < quiet_until_) {
    ++untold_;
    return;
  }
  quiet_until_ = now() + kQuietMs;
  std::string text = "the inbox " + stream_ + ": " + line;
  if (untold_ > 0) {
    text += "; and " + std::to_string(untold_) + " such lines before it";
  }
  untold_ = 0;
  network_.log(LogLevel::error, text);
}

}  // namespace paperboy::broker::redis
