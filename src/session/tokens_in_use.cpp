#include "session/tokens_in_use.hpp"

#include <algorithm>

namespace paperboy::session {

namespace {

constexpr std::int64_t kMostWait = 60;  // seconds between two looks at clients

}  // namespace

void TokensInUse::add(std::uint64_t number, std::int64_t until,
                      std::uint32_t sliding) {
  all_.insert_or_assign(number, Use{until, sliding});
  slides(sliding);
}

bool TokensInUse::remove(std::uint64_t number) {
  return all_.erase(number) != 0;
}

bool TokensInUse::due(std::int64_t now) {
  const std::int64_t every =
      least_ == 0 ? kMostWait
                  : std::clamp<std::int64_t>(least_ / 4, 1, kMostWait);
  if (now >= looked_ && now - looked_ < every) return false;
  forget_old(now);
  looked_ = now;
  return least_ != 0;
}

void TokensInUse::slides(std::uint32_t sliding) {
  if (sliding == 0) return;
  least_ = least_ == 0 ? sliding : std::min(least_, sliding);
}

/// One that slides and was over when clients were last asked was seen to be by
/// whoever had it.
void TokensInUse::forget_old(std::int64_t now) {
  least_ = 0;
  std::erase_if(all_, [&](const auto& one) {
    const Use& use = one.second;
    if (use.until < (use.sliding == 0 ? now : looked_)) return true;
    slides(use.sliding);
    return false;
  });
}

}  // namespace paperboy::session
