#include "cli/advice.hpp"

#include "base/close.hpp"

namespace paperboy::cli {

namespace {

constexpr Advice kComeBack{Exit::come_back, "coming back makes sense"};
constexpr Advice kStayAway{
    Exit::stay_away, "coming back makes no sense before something changes"};

// The disconnect codes of the Centrifugal client protocol: 3000 to 3499 are
// its own and 4000 to 4499 the application's that say "come back"; 3500 to
// 3999 and 4500 to 4999 say "don't".
Advice by_range(std::uint16_t code) {
  const bool again =
      (code >= 3000 && code < 3500) || (code >= 4000 && code < 4500);
  return again ? kComeBack : kStayAway;
}

}  // namespace

Advice advice(std::uint16_t code) {
  switch (code) {
    case close::kNormal:
      return {Exit::stay_away, "the server is done"};
    case close::kTryAgainLater:
    case 1012:  // IANA: service restart
      return {Exit::come_back, "coming back makes sense, a little later"};
    case close::kExpired:
      return {Exit::come_back, "coming back makes sense, with a new token"};
    case close::kInsufficientState:
      return {Exit::come_back,
              "coming back makes sense, but what came between is lost"};
    case close::kGoingAway:
    case close::kNoStatus:
    case close::kAbnormal:
    case close::kInternal:
      return kComeBack;
    default:
      return by_range(code);
  }
}

}  // namespace paperboy::cli
