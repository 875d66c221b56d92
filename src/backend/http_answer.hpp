// The answer to a request of ours, as far as we need it: its status, and where
// it ends. RFC 9112, sections 4 and 6; what a callback sends is nobody's
// friend, so that all is bounded. Knows no socket.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.hpp"

namespace paperboy::backend {

class HttpAnswer {
 public:
  static constexpr std::size_t kMaxHead = 8192;         // bytes
  static constexpr std::size_t kMaxBody = 64UL * 1024;  // bytes that are read

  enum class State : std::uint8_t { more, done, bad };

  /// The next bytes of the stream. After done or bad nothing changes.
  State feed(Bytes bytes);

  /// The stream, or our patience, has come to its end: what is known of the
  /// answer has to do.
  State end();

  /// 200 to 999; 0: it isn't known.
  [[nodiscard]] int status() const { return status_; }
  /// Of a bad one, for a log.
  [[nodiscard]] Bytes why() const { return why_; }

 private:
  State read_head();
  bool read_status(Bytes line);
  bool read_fields(Bytes fields);
  bool read_length(Bytes value);
  State count(std::size_t bytes);
  State refuse(Bytes why);

  State state_ = State::more;
  std::string head_;  // until it is whole
  bool in_body_ = false;
  int status_ = 0;
  int interim_ = 0;         // answers before the one that counts
  bool sized_ = false;      // by Content-Length
  std::size_t length_ = 0;  // of the body
  std::size_t body_ = 0;    // bytes that came of it
  Bytes why_;
};

}  // namespace paperboy::backend
