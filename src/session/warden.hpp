// The port to what limits a connection's client, beyond what its session knows
// of it: how fast it sends, how many there are of its user, how often it shows
// bad tokens. Implemented by the nginx room; lives as long as its transport.
#pragma once

#include <cstddef>
#include <cstdint>

#include "auth/allowance.hpp"
#include "base/bytes.hpp"
#include "base/close.hpp"

namespace paperboy::session {

inline constexpr Close kTooManyRequests{close::kTooManyRequests,
                                        "too many requests"};
inline constexpr Close kConnectionLimit{close::kConnectionLimit,
                                        "connection limit"};

class Warden {
 public:
  Warden() = default;
  Warden(const Warden&) = delete;
  Warden& operator=(const Warden&) = delete;
  virtual ~Warden() = default;

  enum class Verdict : std::uint8_t {
    passes,
    refused,  // it isn't done; the client may be told so, and goes on
    ends,     // nor does the connection go on
  };
  /// One more message, or command, of the client.
  [[nodiscard]] virtual Verdict message() = 0;

  /// So many more bytes on the wire; false: the connection ends.
  [[nodiscard]] virtual bool bytes(std::size_t number) = 0;

  /// Who it is; false: there are as many of this user as may be.
  [[nodiscard]] virtual bool is_user(Bytes user) = 0;

  /// What Transport::limit said last.
  [[nodiscard]] virtual auth::Allowance allowance() const { return {}; }

  /// It has shown a token that nobody has issued.
  virtual void bad_token() = 0;
};

}  // namespace paperboy::session
