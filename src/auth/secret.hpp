// Secrets: compared in a time that doesn't tell where they differ, and wiped
// when they are no longer needed.
#pragma once

#include <vector>

#include "base/bytes.hpp"

namespace paperboy::auth {

/// Takes a time that depends on the lengths alone.
[[nodiscard]] bool equal_secrets(Bytes a, Bytes b);

/// A copy of a secret, wiped on destruction. Not a std::string, which leaves a
/// copy of a short one behind when it is moved.
class SecretBytes {
 public:
  SecretBytes() = default;
  explicit SecretBytes(Bytes secret) : bytes_(secret.begin(), secret.end()) {}
  SecretBytes(SecretBytes&& other) noexcept = default;
  SecretBytes& operator=(SecretBytes&& other) noexcept {
    bytes_.swap(other.bytes_);
    return *this;
  }
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  ~SecretBytes();

  [[nodiscard]] Bytes view() const { return {bytes_.data(), bytes_.size()}; }

 private:
  std::vector<char> bytes_;
};

}  // namespace paperboy::auth
