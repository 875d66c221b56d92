// Reads compressed messages (RFC 7692) of servers without context takeover.
// One serves all connections of a thread.
#pragma once

#include <zlib.h>

#include <optional>
#include <vector>

#include "base.hpp"

namespace paperboy::load {

class Inflater {
 public:
  /// Of messages of so many bytes, uncompressed.
  explicit Inflater(std::size_t most);
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// Good until the next one; cut where it is larger. Nothing: it is broken.
  [[nodiscard]] std::optional<Bytes> inflate(Bytes payload);

 private:
  z_stream stream_{};
  const std::size_t most_;
  std::string in_;
  std::vector<char> out_;
};

}  // namespace paperboy::load
