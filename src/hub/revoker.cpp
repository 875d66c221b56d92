#include "hub/revoker.hpp"

#include <algorithm>
#include <utility>

namespace paperboy::hub {

namespace {

constexpr std::uint32_t kAtOnce = 1000;  // that are revoked by several workers

constexpr Error kNothing{ErrorCode::bad_request, "nothing is named"};
constexpr Error kTooLong{ErrorCode::bad_request,
                         "longer than paperboy_revocation_ttl"};
constexpr Error kFull{ErrorCode::too_large,
                      "as many as paperboy_max_revocations are remembered"};
constexpr Error kUnknown{ErrorCode::unavailable,
                         "what was revoked before isn't known yet: try again"};

// Of the channel's present epoch: all that is kept.
constexpr Position kBeginning{};

bool names_something(const Revoker::Wish& wish) {
  const Revocation& what = wish.revocation;
  return !what.token.empty() || what.user || !what.channel.empty() ||
         wish.before;
}

}  // namespace

Retention kept_revocations(const RevocationLimits& limits) {
  return {.count = limits.most + kAtOnce,
          .bytes = 0,
          .age_ms = std::uint64_t{limits.seconds} * 1000,
          .pinned = true};
}

Revoker::Revoker(Hub& hub, const Clock& clock, const RevocationLimits& limits,
                 Taker taker)
    : hub_(hub),
      clock_(clock),
      limits_(limits),
      taker_(std::move(taker)),
      ear_(hub, std::string(kRevocations), [](Bytes) { return true; }) {
  hub.keep_revocations(kept_revocations(limits));
}

Revoker::~Revoker() { *self_ = nullptr; }

Result<Done> Revoker::listen() {
  const auto listening = ear_.listen();
  if (!listening) return listening.error();
  if (ear_.lost()) complete_ = false;
  if (!complete_ && !reading_) {
    kept_.clear();
    read(kBeginning);
  }
  return Done{};
}

/// A network broker answers later, and in pages.
void Revoker::read(const Position& since) {
  reading_ = true;
  hub_.broker().history(kRevocations, {.since = since},
                        [self = self_](const Result<HistoryPage>& page) {
                          if (*self != nullptr) (*self)->have_read(page);
                        });
}

void Revoker::have_read(const Result<HistoryPage>& page) {
  reading_ = false;
  if (!page) {  // nobody has revoked anything, or it is tried again
    complete_ = page.error().code == ErrorCode::not_found;
    return;
  }
  for (const Kept& kept : page->publications) (void)take(kept.data);
  if (page->publications.empty() ||
      page->publications.back().position.offset >= page->top.offset) {
    complete_ = true;
  } else {
    read(page->publications.back().position);
  }
}

bool Revoker::look() {
  bool any = false;
  for (const std::string& message : ear_.take()) any |= take(message);
  return any;
}

/// What another build has written may be none.
bool Revoker::take(Bytes message) {
  const auto revocation = decode_revocation(message);
  if (!revocation) return false;
  forget_old();
  kept_.push_back(revocation->until);
  taker_(*revocation);
  return true;
}

void Revoker::forget_old() {
  const std::int64_t now = clock_.unix_seconds();
  while (!kept_.empty() && std::int64_t{kept_.front()} <= now) {
    kept_.pop_front();
  }
}

void Revoker::revoke(const Wish& wish, const DoneReply& reply) {
  const std::int64_t now = clock_.unix_seconds();
  if (!names_something(wish)) return reply(kNothing);
  if (wish.seconds > limits_.seconds) return reply(kTooLong);
  if (!complete_) return reply(kUnknown);
  forget_old();
  if (kept_.size() >= limits_.most) return reply(kFull);
  Revocation revocation = wish.revocation;
  // A token of this very second may have been issued before.
  revocation.before = wish.before.value_or(
      revocation.token.empty() ? static_cast<std::uint32_t>(now + 1)
                               : Revocation::kAlways);
  const std::uint64_t seconds =
      wish.seconds == 0 ? limits_.seconds : wish.seconds;
  revocation.until =
      static_cast<std::uint32_t>(static_cast<std::uint64_t>(now) + seconds);
  const std::string data = encode(revocation);
  // Nobody on this node is let in by it once it is answered.
  hub_.publish(
      {.channel = kRevocations, .kind = Kind::binary, .data = data},
      [self = self_, revocation, reply](const Result<Published>& outcome) {
        if (!outcome) return reply(outcome.error());
        if (*self != nullptr) (*self)->taker_(revocation);
        reply(Done{});
      });
}

}  // namespace paperboy::hub
