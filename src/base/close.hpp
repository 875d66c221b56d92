// Why a connection ends: the code and reason that its peer is told, that the
// log line shows and that the counters count.
//
// 1000 to 1011: RFC 6455 section 7.4.1; 1013: IANA's registry. 3000 and up:
// the disconnect codes of the Centrifugal client protocol, whose numbers all
// dialects share; up to 3499 a client should come back, from 3500 it must not.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"

namespace paperboy {

struct Close {
  std::uint16_t code = 1000;
  Bytes reason;  // UTF-8, at most 123 bytes (RFC 6455 section 5.5.1)

  friend bool operator==(const Close&, const Close&) = default;
};

namespace close {

inline constexpr std::uint16_t kNormal = 1000;
inline constexpr std::uint16_t kGoingAway = 1001;
inline constexpr std::uint16_t kProtocolError = 1002;
inline constexpr std::uint16_t kNoStatus = 1005;  // never on the wire
inline constexpr std::uint16_t kAbnormal = 1006;  // never on the wire
inline constexpr std::uint16_t kInvalidPayload = 1007;
inline constexpr std::uint16_t kPolicy = 1008;
inline constexpr std::uint16_t kTooBig = 1009;
inline constexpr std::uint16_t kInternal = 1011;
inline constexpr std::uint16_t kTryAgainLater = 1013;
inline constexpr std::uint16_t kShutdown = 3001;
inline constexpr std::uint16_t kServerError = 3004;
inline constexpr std::uint16_t kExpired = 3005;
inline constexpr std::uint16_t kSlow = 3008;
inline constexpr std::uint16_t kInsufficientState = 3010;
inline constexpr std::uint16_t kNoPong = 3012;
inline constexpr std::uint16_t kTooManyRequests = 3013;
inline constexpr std::uint16_t kInvalidToken = 3500;
inline constexpr std::uint16_t kBadRequest = 3501;
inline constexpr std::uint16_t kStale = 3502;
inline constexpr std::uint16_t kForceDisconnect = 3503;
inline constexpr std::uint16_t kConnectionLimit = 3504;
inline constexpr std::uint16_t kChannelLimit = 3505;
inline constexpr std::uint16_t kPermissionDenied = 3507;
inline constexpr std::uint16_t kNotAvailable = 3508;

}  // namespace close

}  // namespace paperboy
