// Compressing and inflating the payloads of messages (RFC 7692 section 7.2),
// over zlib, whose memory is allocated at the first message.
//
// Without context takeover a worker shares one Deflater for each window size
// and one Inflater (a window of 15 bits reads all smaller ones), and reset()s
// it before each message. With takeover a connection owns its own.
#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/bytes.hpp"
#include "ws/negotiation.hpp"

namespace paperboy::ws {

class Deflater {
 public:
  /// window_bits: kMinWindowBits to kMaxWindowBits; level: 1 to 9.
  explicit Deflater(int window_bits = kMaxWindowBits, int level = 6)
      : window_bits_(window_bits), level_(level) {}
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  ~Deflater();

  /// Appends the compressed payload of a message to `out`, without the tail
  /// 00 00 ff ff. False: no memory or a bad window size; `out` is then as it
  /// was, and the message can go uncompressed.
  [[nodiscard]] bool compress(Bytes message, std::string& out);

  /// Forgets what came before: the next message stands alone.
  void reset();

 private:
  bool open();

  z_stream stream_{};
  int window_bits_;
  int level_;
  bool open_ = false;
};

enum class InflateResult : std::uint8_t {
  ok,
  too_big,    // more than the limit comes out of it
  invalid,    // no complete deflate data
  no_memory,  // zlib could not start
};

class Inflater {
 public:
  /// window_bits: kMinWindowBits to kMaxWindowBits, at least the sender's.
  explicit Inflater(int window_bits = kMaxWindowBits)
      : window_bits_(window_bits) {}
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater();

  /// Appends to `out` what a whole message's payload (without the tail)
  /// inflates to, at most `limit` bytes; memory grows with what comes out.
  /// After anything but ok, `out` holds a part and only reset() may follow.
  [[nodiscard]] InflateResult inflate(Bytes payload, std::size_t limit,
                                      std::string& out);

  /// Forgets what came before: the next message stands alone.
  void reset();

 private:
  bool open();
  InflateResult run(Bytes in, std::size_t limit, std::string& out, bool& ended);
  int step(std::string& out, std::size_t limit);

  z_stream stream_{};
  int window_bits_;
  bool open_ = false;
};

}  // namespace paperboy::ws
