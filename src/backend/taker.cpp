#include "backend/taker.hpp"

#include "base/envelope.hpp"
#include "hub/key.hpp"

namespace paperboy::backend {

namespace {

// Workers that take the same aren't further apart.
constexpr std::uint64_t kKeyMs = 30'000;

// A worker that hears of who is let in later than this is no good any more.
constexpr std::uint64_t kYoungMs = 5000;
constexpr std::uint64_t kSweepMs = 1000;

// As paperboy_max_channel_length at most.
constexpr std::size_t kMaxName = 512;

void answer(const Result<hub::Published>& outcome, const Taker::Reply& reply) {
  if (outcome) {
    reply(Done{});
  } else {
    reply(outcome.error());
  }
}

}  // namespace

Taker::Taker(hub::Hub& hub, const Clock& clock, Counters& counters,
             std::string name_space, Complaints::Log log)
    : hub_(hub),
      clock_(clock),
      counters_(counters),
      name_space_(std::move(name_space)),
      complaints_(clock, std::move(log)) {}

void Taker::take(Topic topic, Bytes text, Bytes key, const Reply& reply) {
  auto body = read_body(topic, text);
  if (!body) return refuse(topic, body.error().message, reply);
  switch (topic) {
    case Topic::authorized:
      return authorize(std::move(*body), key, reply);
    case Topic::close:
      return close(std::move(*body), key, reply);
    case Topic::message:
      return publish(*body, text, key, reply);
  }
}

void Taker::refuse(Topic topic, Bytes why, const Reply& reply) {
  counters_.add(Counter::classic_malformed);
  std::string line = "a message of ";
  line.append(name_of(topic)).append(" is thrown away: ").append(why);
  complaints_.tell(std::move(line));
  reply(Error{ErrorCode::bad_request, why});
}

void Taker::note_done(const Result<hub::Published>& outcome) {
  if (!outcome) {
    counters_.add(Counter::publish_errors);
    complaints_.tell("what a back end says is lost: " +
                     std::string(outcome.error().message));
  } else if (!outcome->repeated) {
    counters_.add(Counter::classic_messages);
  }
}

// ---- who is let in, and who has to leave -----------------------------------

void Taker::authorize(Body&& body, Bytes key, const Reply& reply) {
  if (!body.channel.empty()) {
    const auto channel = hub::channel_key(name_space_, body.channel, kMaxName);
    if (!channel) {
      return refuse(Topic::authorized, channel.error().message, reply);
    }
  }
  const hub::Notice notice{.kind = hub::Notice::Kind::authorized,
                           .name_space = name_space_,
                           .client = std::move(body.client),
                           .user = std::move(body.user),
                           .channel = std::move(body.channel)};
  hear(notice);
  tell(notice, key, reply);
}

void Taker::close(Body&& body, Bytes key, const Reply& reply) {
  tell({.kind = hub::Notice::Kind::closed,
        .name_space = name_space_,
        .user = std::move(body.user),
        .channel = std::move(body.channel)},
       key, reply);
}

void Taker::tell(const hub::Notice& notice, Bytes key, const Reply& reply) {
  const std::string text = encode(notice);
  hub_.publish({.channel = hub::kNotices,
                .kind = Kind::binary,
                .data = text,
                .idempotency_key = key,
                .idempotency_ms = kKeyMs},
               [this, reply](const Result<hub::Published>& outcome) {
                 // Of a channel of the node, so it is answered at once.
                 note_done(outcome);
                 answer(outcome, reply);
               });
}

void Taker::tell_copy(const hub::Notice& copy, Bytes key) {
  const std::string text = encode(copy);
  hub_.publish({.channel = hub::kNotices,
                .kind = Kind::binary,
                .data = text,
                .idempotency_key = key,
                .idempotency_ms = kKeyMs},
               [this](const Result<hub::Published>& outcome) {
                 if (!outcome) note_done(outcome);
               });
}

void Taker::hear(const hub::Notice& notice) {
  const bool ours = notice.kind == hub::Notice::Kind::authorized &&
                    notice.name_space == name_space_;
  if (!ours) return;
  note_young(hub::user_channel(name_space_, notice.user));
  if (notice.channel.empty()) return;
  const auto channel = hub::channel_key(name_space_, notice.channel, kMaxName);
  if (channel) note_young(*channel);
}

void Taker::note_young(const std::string& channel) {
  const std::uint64_t now = clock_.monotonic_ms();
  if (now >= swept_at_ + kSweepMs) {
    swept_at_ = now;
    std::erase_if(young_, [now](const auto& one) { return one.second <= now; });
  }
  young_[channel] = now + kYoungMs;
}

bool Taker::is_young(const std::string& channel) const {
  const auto found = young_.find(channel);
  return found != young_.end() && found->second > clock_.monotonic_ms();
}

// ---- messages --------------------------------------------------------------

void Taker::publish(const Body& body, Bytes text, Bytes key,
                    const Reply& reply) {
  const bool to_user = !body.user.empty();
  const auto channel =
      to_user ? hub::user_channel(name_space_, body.user)
              : hub::channel_key(name_space_, body.channel, kMaxName);
  if (!channel) return refuse(Topic::message, channel.error().message, reply);
  const std::string envelope = make_envelope(text, body.payload);
  if (envelope.empty()) {
    return refuse(Topic::message,
                  "what is around its payload is longer than 64 KiB", reply);
  }
  const Bytes data = body.payload.empty() ? Bytes("null") : body.payload;
  hub::Notice copy;
  const bool copies = is_young(*channel);
  if (copies) {
    copy = {.kind = hub::Notice::Kind::copy,
            .name_space = name_space_,
            .user = body.user,
            .channel = to_user ? std::string() : body.channel,
            .data = std::string(data),
            .extra = envelope};
  }
  hub_.publish(
      {.channel = *channel,
       .data = data,
       .extra = envelope,
       .idempotency_key = key,
       .idempotency_ms = kKeyMs},
      [self = self_, copies, copy = std::move(copy), key = std::string(key),
       reply](const Result<hub::Published>& outcome) mutable {
        if (*self == nullptr) return;
        (*self)->note_done(outcome);
        if (outcome && copies) {
          copy.position = outcome->position;
          (*self)->tell_copy(copy, key);
        }
        answer(outcome, reply);
      });
}

}  // namespace paperboy::backend
