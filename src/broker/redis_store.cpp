#include "broker/redis_store.hpp"

#include <charconv>

#include "broker/redis_connection.hpp"
#include "broker/redis_entry.hpp"

namespace paperboy::broker::redis {

namespace {

constexpr std::uint64_t kQuietMs = 10'000;  // between two complaints
constexpr std::uint32_t kMostChanged = 1000;

constexpr Error kNonsense{ErrorCode::internal,
                          "Redis answered what Paperboy doesn't understand; "
                          "see the error log"};

std::string text(std::uint64_t number) { return std::to_string(number); }

std::optional<std::uint64_t> number(const Reply& reply) {
  if (reply.kind == Reply::Kind::integer && reply.integer >= 0) {
    return static_cast<std::uint64_t>(reply.integer);
  }
  const Bytes digits = reply.string();
  std::uint64_t value = 0;
  const char* const end = digits.data() + digits.size();
  const auto [at, error] = std::from_chars(digits.data(), end, value);
  if (digits.empty() || error != std::errc() || at != end) return {};
  return value;
}

std::optional<Position> position(const Reply& epoch, const Reply& offset) {
  const auto e = parse_epoch(epoch.string());
  const auto o = number(offset);
  if (!e || *e == 0 || !o) return {};
  return Position{*e, *o};
}

char letter(Event event) {
  switch (event) {
    case Event::message:
      return 'm';
    case Event::passing:
      return 'p';
    case Event::join:
      return 'j';
    case Event::leave:
      return 'l';
    case Event::anchor:
      break;
  }
  assert(false);  // published by nobody
  return 'p';
}

void append(std::vector<std::string>& words, const Retention& kept) {
  words.push_back(text(kept.count));
  words.push_back(text(kept.bytes));
  words.push_back(text(kept.age_ms));
}

/// Where the caller has a channel.
void append(std::vector<std::string>& words, const Position& here) {
  words.push_back(here.epoch == 0 ? std::string() : epoch_text(here.epoch));
  words.push_back(text(here.offset));
}

}  // namespace

/// What every script is told first; see redis_scripts.cpp.
Store::Words Store::arguments(Bucket bucket) {
  const auto fresh = [this] { return epoch_text(network_.random() | 1); };
  const Bytes id = engine_.replication_id(engine_.shard_of(bucket));
  Words words = {std::string(id), fresh(), fresh(), text(options_.idle_ms),
                 engine_.is_clustered() ? "SPUBLISH" : "PUBLISH"};
  append_seen(words, bucket);
  return words;
}

void Store::append_seen(Words& words, Bucket bucket) const {
  const Seen& seen = evidence_.of(bucket);
  words.push_back(seen.generation);
  words.push_back(seen.replication_id);
  words.push_back(text(seen.sequence));
}

// ---- publishing ------------------------------------------------------------

void Store::publish(const Draft& draft, const Position& here,
                    const Handler<Placed>& handler) {
  const Bucket bucket = bucket_of(draft.channel);
  Words keys = {keys_.bucket(bucket), keys_.changed(bucket),
                keys_.meta(draft.channel), keys_.stream(draft.channel)};
  const bool keyed = !draft.idempotency_key.empty() && draft.idempotency_ms > 0;
  if (keyed) {
    keys.push_back(keys_.idempotency(draft.channel, draft.idempotency_key));
  }
  Words words = arguments(bucket);
  words.push_back(keys_.topic(draft.channel));
  words.emplace_back(draft.channel);
  words.emplace_back(draft.kind == Kind::text ? "t" : "b");
  words.emplace_back(draft.extra);
  words.emplace_back(draft.data);
  append(words, draft.keep);
  append(words, {.count = options_.window,
                 .bytes = options_.window_bytes,
                 .age_ms = options_.window_ms});
  words.push_back(text(draft.idempotency_ms));
  append(words, here);
  const auto read = [this, bucket, id = words[0],
                     handler](const Result<Reply>& reply) {
    if (!reply) return handler(reply.error());
    if (reply->is_error()) return handler(refused(*reply));
    const auto placed = note(bucket, id, *reply);
    if (!placed || reply->items.size() != 5) {
      return handler(nonsense("publish"));
    }
    handler(Placed{*placed, reply->items[4].integer != 0});
  };
  if (draft.replicas == 0) {
    engine_.call(bucket, Script::publish, keys, words, read);
  } else {
    engine_.call_and_wait(bucket, Script::publish, keys, words, draft.replicas,
                          draft.replicas_ms, read);
  }
}

void Store::signal(const Draft& draft, const Handler<Position>& handler) {
  const Bucket bucket = bucket_of(draft.channel);
  Words words = arguments(bucket);
  words.push_back(keys_.topic(draft.channel));
  words.emplace_back(draft.kind == Kind::text ? "t" : "b");
  words.emplace_back(1, letter(draft.event));
  words.emplace_back(draft.extra);
  words.emplace_back(draft.data);
  engine_.call(
      bucket, Script::signal,
      {keys_.bucket(bucket), keys_.meta(draft.channel),
       keys_.stream(draft.channel)},
      words,
      [this, bucket, id = words[0], handler](const Result<Reply>& reply) {
        if (!reply) return handler(reply.error());
        if (reply->is_error()) return handler(refused(*reply));
        const auto at = note(bucket, id, *reply);
        if (!at) return handler(nonsense("signal"));
        handler(*at);
      });
}

void Store::remove(Bytes channel, const Handler<Position>& handler) {
  const Bucket bucket = bucket_of(channel);
  Words words = arguments(bucket);
  words.push_back(keys_.topic(channel));
  words.emplace_back(channel);
  engine_.call(
      bucket, Script::remove,
      {keys_.bucket(bucket), keys_.changed(bucket), keys_.meta(channel),
       keys_.stream(channel)},
      words,
      [this, bucket, id = words[0], handler](const Result<Reply>& reply) {
        if (!reply) return handler(reply.error());
        if (reply->is_error()) return handler(refused(*reply));
        const auto at = note(bucket, id, *reply);
        if (!at) return handler(nonsense("remove"));
        handler(*at);
      });
}

// ---- reading ---------------------------------------------------------------

void Store::positions(Bucket bucket, const std::vector<Standing>& here,
                      const Handler<std::vector<Standing>>& handler) {
  Words keys = {keys_.bucket(bucket)};
  Words words = arguments(bucket);
  std::vector<std::string> channels;
  for (const Standing& one : here) {
    keys.push_back(keys_.meta(one.channel));
    keys.push_back(keys_.stream(one.channel));
    append(words, one.position);
    channels.push_back(one.channel);
  }
  const auto read = [this, bucket, id = words[0],
                     channels = std::move(channels),
                     handler](const Result<Reply>& reply) {
    if (!reply) return handler(reply.error());
    if (reply->is_error()) return handler(refused(*reply));
    const auto& items = reply->items;
    if (items.size() != 2 + 3 * channels.size() || !number(items[1])) {
      return handler(nonsense("position"));
    }
    saw(bucket, heed(bucket, items[0].string()), id, *number(items[1]));
    std::vector<Standing> all;
    for (std::size_t i = 0; i < channels.size(); ++i) {
      const auto at = position(items[2 + 3 * i], items[3 + 3 * i]);
      const auto removed = number(items[4 + 3 * i]);
      if (!at || !removed) return handler(nonsense("position"));
      all.push_back({channels[i], *at, *removed});
    }
    handler(all);
  };
  engine_.call(bucket, Script::position, keys, words, read);
}

void Store::window(Bytes channel, const WindowQuery& query,
                   const Handler<Window>& handler) {
  const Bucket bucket = bucket_of(channel);
  Words words = arguments(bucket);
  words.push_back(query.epoch == 0 ? std::string() : epoch_text(query.epoch));
  words.push_back(query.offset ? text(*query.offset) : std::string());
  words.push_back(text(query.limit));
  words.push_back(
      text(std::min<std::uint64_t>(query.bytes, options_.max_reply / 2)));
  words.emplace_back(query.reverse ? "r" : "f");
  append(words, query.kept);
  engine_.call(
      bucket, Script::history,
      {keys_.bucket(bucket), keys_.meta(channel), keys_.stream(channel)}, words,
      [this, name = std::string(channel), id = words[0],
       handler](const Result<Reply>& reply) {
        if (!reply) return handler(reply.error());
        if (reply->is_error()) return handler(refused(*reply));
        handler(read_window(name, id, *reply));
      });
}

/// An entry that makes no sense, or is of another epoch, is missing.
Result<Window> Store::read_window(Bytes channel, Bytes id, const Reply& reply) {
  const auto top = note(bucket_of(channel), id, reply);
  if (!top || reply.items.size() < 5) return nonsense("history");
  const auto now = number(reply.items[4]);
  if (!now) return nonsense("history");
  Window window{*top, {}};
  for (std::size_t i = 5; i < reply.items.size(); ++i) {
    const auto entry = parse_entry(reply.items[i].string());
    if (!entry) {
      complain("somebody else wrote to a stream in Redis",
               printable(keys_.stream(channel)));
      continue;
    }
    if (entry->position.epoch != top->epoch) continue;
    window.entries.push_back(
        {{entry->position, entry->kind, std::string(entry->data),
          std::string(entry->extra)},
         *now > entry->ms ? *now - entry->ms : 0});
  }
  return window;
}

void Store::check(std::span<const Known> known, Bytes topic, Bytes probe,
                  const Handler<std::vector<Change>>& handler) {
  const Bucket first = known.front().bucket;
  Words keys;
  Words words = arguments(first);
  words.emplace_back(topic);
  words.emplace_back(probe);
  words.push_back(text(kMostChanged));
  for (const Known& one : known) {
    keys.push_back(keys_.bucket(one.bucket));
    keys.push_back(keys_.changed(one.bucket));
    words.push_back(one.generation);
    words.push_back(text(one.sequence));
    append_seen(words, one.bucket);
  }
  const auto read = [this, id = words[0],
                     asked = std::vector(known.begin(), known.end()),
                     handler](const Result<Reply>& reply) {
    if (!reply) return handler(reply.error());
    if (reply->is_error()) return handler(refused(*reply));
    if (reply->items.size() != asked.size()) return handler(nonsense("check"));
    std::vector<Change> changes;
    for (std::size_t i = 0; i < asked.size(); ++i) {
      auto change = read_change(asked[i], id, reply->items[i]);
      if (!change) return handler(change.error());
      changes.push_back(std::move(*change));
    }
    handler(changes);
  };
  engine_.call(first, Script::check, keys, words, read);
}

Result<Change> Store::read_change(const Known& known, Bytes id,
                                  const Reply& reply) {
  Change change{.bucket = known.bucket,
                .generation = known.generation,
                .sequence = known.sequence};
  if (reply.kind == Reply::Kind::nil) {
    // As known, and from now on under this server's replication id.
    saw(known.bucket, known.generation, id, known.sequence);
    return change;
  }
  const auto& items = reply.items;
  if (items.size() < 3 || items.size() % 4 != 3 || !number(items[1])) {
    return nonsense("check");
  }
  change.generation = heed(known.bucket, items[0].string());
  change.sequence = *number(items[1]);
  const Bytes kind = items[2].string();
  change.kind = kind == "all"    ? Change::Kind::all
                : kind == "more" ? Change::Kind::more
                                 : Change::Kind::some;
  for (std::size_t i = 3; i < items.size(); i += 4) {
    const auto at = position(items[i + 1], items[i + 2]);
    const auto removed = number(items[i + 3]);
    if (!at || !removed) return nonsense("check");
    change.channels.push_back({items[i].text, *at, *removed});
  }
  saw(change.bucket, change.generation, id, change.sequence);
  return change;
}

Bytes Store::heed(Bucket bucket, Bytes answered) {
  const std::size_t end = answered.find(' ');
  if (end != Bytes::npos) {
    losses_.tell(bucket, answered.substr(end + 1), evidence_.of(bucket).heard);
  }
  return answered.substr(0, end);
}

/// `id`: the replication id that the script was given, so far as is known.
void Store::saw(Bucket bucket, Bytes generation, Bytes id,
                std::uint64_t sequence) {
  const Bytes other = engine_.redirected_to();
  evidence_.note_answer(bucket, generation, other.empty() ? id : other,
                        sequence);
}

/// Epoch, offset, generation, sequence: how most answers begin.
std::optional<Position> Store::note(Bucket bucket, Bytes id,
                                    const Reply& reply) {
  const auto& items = reply.items;
  if (items.size() < 4) return {};
  const auto sequence = number(items[3]);
  if (!sequence) return {};
  saw(bucket, heed(bucket, items[2].string()), id, *sequence);
  return position(items[0], items[1]);
}

// ---- errors ----------------------------------------------------------------

Error Store::refused(const Reply& reply) {
  complain("Redis refuses", reply.text);
  if (reply.text.starts_with("OOM")) {
    return {ErrorCode::unavailable,
            "Redis has no memory left (its maxmemory): try again later"};
  }
  return {ErrorCode::unavailable, "Redis refuses: see the error log"};
}

Error Store::nonsense(Bytes what) {
  complain("Redis answers what makes no sense to", what);
  return kNonsense;
}

/// What a server does wrong it does many times a second.
void Store::complain(Bytes what, Bytes text) {
  const std::uint64_t now = network_.clock().monotonic_ms();
  if (now < quiet_until_) return;
  quiet_until_ = now + kQuietMs;
  std::string line(what);
  line.append(": ").append(text.substr(0, 200));
  network_.log(LogLevel::error, line);
}

}  // namespace paperboy::broker::redis
