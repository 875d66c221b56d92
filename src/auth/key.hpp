// Keys that tokens are verified with. A key pins its algorithm: what a token
// says about it is only ever compared (RFC 8725 section 3.1).
//
// Keys are parsed once, with the configuration or the key set that has them;
// nothing changes them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "auth/secret.hpp"
#include "auth/signature_cache.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"

struct evp_mac_ctx_st;
struct evp_pkey_st;

namespace paperboy::auth {

/// RFC 7518 section 3.1, and RFC 8037 section 3.1.
enum class Algorithm : std::uint8_t {
  hs256,
  hs384,
  hs512,
  rs256,
  rs384,
  rs512,
  ps256,
  ps384,
  ps512,
  es256,
  es384,
  es512,
  eddsa,
};

/// What an algorithm's keys are: a shared secret, RSA with either padding, or
/// a point on a curve.
enum class Family : std::uint8_t { hs, rs, ps, es, eddsa };

/// "HS256" and so on; case counts, as in a token (RFC 7515 section 4.1.1).
[[nodiscard]] std::optional<Algorithm> algorithm_by_name(Bytes name);
[[nodiscard]] Bytes algorithm_name(Algorithm algorithm);

[[nodiscard]] Family family(Algorithm algorithm);

/// Whether the key is a shared secret (HS) rather than a public key.
[[nodiscard]] bool is_hmac(Algorithm algorithm);

/// Bytes of the hash: 32, 48 or 64; 0 of EdDSA, which hashes by itself.
[[nodiscard]] std::size_t hash_size(Algorithm algorithm);

class Key {
  struct Free {
    void operator()(evp_pkey_st* key) const;
    void operator()(evp_mac_ctx_st* mac) const;
  };

 public:
  using PublicKey = std::unique_ptr<evp_pkey_st, Free>;

  /// HS: `material` is the secret, every byte of it (a final newline too:
  /// whoever reads a file strips it), at most 8 KiB. Others: a public key or
  /// a certificate as PEM, RSA from 2048 bits, EC on the algorithm's curve,
  /// Ed25519 or Ed448. The error says what is wrong, and shows nothing of the
  /// material.
  static Result<Key, std::string> load(Algorithm algorithm, Bytes material,
                                       Bytes kid = {});

  /// The same of a public key that has been read. REQUIRES: not null, and
  /// `algorithm` is none of HS.
  static Result<Key, std::string> take(Algorithm algorithm, PublicKey parsed,
                                       Bytes kid);

  [[nodiscard]] Algorithm algorithm() const { return algorithm_; }

  /// Empty: the key has none.
  [[nodiscard]] const std::string& kid() const { return kid_; }

  /// A secret shorter than the hash (RFC 7518 section 3.2 asks for its size):
  /// it can be guessed from a token, offline. No server takes it.
  [[nodiscard]] bool weak() const;

  /// HS: the secret. Others: empty.
  [[nodiscard]] Bytes secret() const { return secret_.view(); }

  /// HS: at the beginning of what the secret signs, for a copy to go on from;
  /// lives as long as this. Others: null.
  [[nodiscard]] const evp_mac_ctx_st* mac() const { return mac_.get(); }

  /// The public key, which lives as long as this. HS: null.
  [[nodiscard]] evp_pkey_st* public_key() const { return public_key_.get(); }

  /// What tells a public key from any other. HS: all zeros.
  [[nodiscard]] const KeyDigest& digest() const { return digest_; }

 private:
  Key(Algorithm algorithm, Bytes kid) : algorithm_(algorithm), kid_(kid) {}

  static Result<PublicKey, std::string> read_public_key(Bytes pem);
  [[nodiscard]] bool take_digest();
  [[nodiscard]] bool make_mac();

  Algorithm algorithm_;
  std::string kid_;
  SecretBytes secret_;
  std::unique_ptr<evp_mac_ctx_st, Free> mac_;
  PublicKey public_key_;
  KeyDigest digest_{};
};

}  // namespace paperboy::auth
