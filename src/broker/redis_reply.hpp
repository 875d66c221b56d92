// What Redis answers (RESP2), and how it is asked. The only pair of files that
// knows hiredis, which parses and formats, and touches no socket.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace paperboy::broker::redis {

/// A reply; its bytes are its own.
struct Reply {
  enum class Kind : std::uint8_t { nil, integer, string, error, array };

  Kind kind = Kind::nil;
  std::int64_t integer = 0;
  std::string text;  // of a string (or status), or an error
  std::vector<Reply> items;

  [[nodiscard]] bool is_error() const { return kind == Kind::error; }
  /// Of a string; else empty.
  [[nodiscard]] Bytes string() const {
    return kind == Kind::string ? Bytes(text) : Bytes();
  }
};

/// Called once, never during the call that took it. Error: unavailable (not
/// sent, lost with its connection, or too late). What Redis refused is a Reply
/// of the kind error.
using ReplyHandler = std::function<void(const Result<Reply>&)>;

/// Bytes of a stream to replies.
class ReplyReader {
 public:
  /// A reply may have `most` bytes in all.
  explicit ReplyReader(std::size_t most);
  ~ReplyReader();
  ReplyReader(const ReplyReader&) = delete;
  ReplyReader& operator=(const ReplyReader&) = delete;

  /// Error: bad_request; the stream is of no use any more.
  Result<Done> feed(Bytes bytes);
  /// The next whole reply; nothing: it isn't all there. Error: bad_request.
  Result<std::optional<Reply>> next();

 private:
  struct Inner;
  std::unique_ptr<Inner> inner_;
};

/// Appends a command: an array of bulk strings.
void append_command(std::string& out, std::span<const Bytes> words);

}  // namespace paperboy::broker::redis
