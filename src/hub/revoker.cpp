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

/// What the channel keeps. More than `most`: workers that revoke at the same
/// time don't know of each other's last ones. Of no age: each has a time of its
/// own, which a limit that was changed since doesn't shorten.
Retention kept_revocations(const RevocationLimits& limits) {
  return {
      .count = limits.most + kAtOnce, .bytes = 0, .age_ms = 0, .pinned = true};
}

}  // namespace

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
  if (complete_) give_back();
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
  forget_old();
  kept_.push_back(revocation ? revocation->until : 0);
  if (!revocation) return false;
  taker_(*revocation);
  return true;
}

void Revoker::forget_old() {
  const std::int64_t now = clock_.unix_seconds();
  while (!kept_.empty() && std::int64_t{kept_.front()} <= now) {
    kept_.pop_front();
  }
}

/// What lies before all that is in `kept_`, up to where was heard. One that was
/// both read and heard is there twice, which gives back less.
void Revoker::give_back() {
  (void)look();
  forget_old();
  const Position heard = ear_.position();
  if (heard.offset <= kept_.size()) return;
  hub_.broker().release_history(kRevocations,
                                {heard.epoch, heard.offset - kept_.size()});
}

/// That aren't in `kept_` yet: one request may revoke thousands.
std::uint64_t Revoker::unheard() const {
  if (!ear_.listening()) return asked_;
  const Position heard = ear_.position();
  const bool behind = told_.epoch == heard.epoch && told_.offset > heard.offset;
  return asked_ + (behind ? told_.offset - heard.offset : 0);
}

void Revoker::revoke(const Wish& wish, const DoneReply& reply) {
  const std::int64_t now = clock_.unix_seconds();
  if (!names_something(wish)) return reply(kNothing);
  if (wish.seconds > limits_.seconds) return reply(kTooLong);
  if (!complete_) return reply(kUnknown);
  forget_old();
  if (kept_.size() + unheard() >= limits_.most) return reply(kFull);
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
  ++asked_;
  hub_.publish(
      {.channel = kRevocations, .kind = Kind::binary, .data = data},
      [self = self_, revocation, reply](const Result<Published>& outcome) {
        if (*self != nullptr) (*self)->have_told(revocation, outcome);
        if (!outcome) return reply(outcome.error());
        reply(Done{});
      });
}

/// Nobody on this node is let in by it once it is answered.
void Revoker::have_told(const Revocation& revocation,
                        const Result<Published>& outcome) {
  --asked_;
  if (!outcome) return;
  told_ = outcome->position;
  taker_(revocation);
}

}  // namespace paperboy::hub
