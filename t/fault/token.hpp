// Tokens of the engine's own making: JSON Web Tokens of HS256 and ES256.
#pragma once

#include <memory>
#include <string>

#include "place.hpp"

namespace paperboy::fault {

class Signer {
 public:
  /// `secret`: of HS256; `key`: a file with a private key (PEM) of ES256.
  /// Either may be empty. Throws std::runtime_error where the file is no key.
  Signer(std::string secret, const std::string& key);
  ~Signer();
  Signer(const Signer&) = delete;
  Signer& operator=(const Signer&) = delete;

  /// `claims` is a JSON object.
  [[nodiscard]] std::string hs256(Bytes claims) const;
  [[nodiscard]] std::string es256(Bytes claims) const;

 private:
  struct Key;
  std::string secret_;
  std::unique_ptr<Key> key_;
};

}  // namespace paperboy::fault
