// Tokens from strangers. After the first byte, which chooses: a whole token as
// it is, or a header, a newline and a payload, which are encoded and signed
// with the right secret, so that the checks behind the signature are reached.
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "auth/jwt.hpp"
#include "auth/token_source.hpp"
#include "base/utf8.hpp"

namespace {

using paperboy::Bytes;
using namespace paperboy::auth;

constexpr std::int64_t kNow = 1700000000;
constexpr Bytes kSecret = "0123456789abcdef0123456789abcdef";
constexpr Bytes kPublicKey =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEsINdJYjjfAlO21YNOXQWkUP01VCn\n"
    "UVqGL+POa20qw1daGZ7dZqPLg5l/R2eG9Jceh3eY7kW+tN5rsGX2Y8TfMw==\n"
    "-----END PUBLIC KEY-----\n";

void require(bool holds) {
  if (!holds) std::abort();
}

void add(KeySet& keys, Algorithm algorithm, Bytes material, Bytes kid) {
  auto key = Key::load(algorithm, material, kid);
  require(key.ok());
  require(keys.add(std::move(key).value()).ok());
}

KeySet make_keys() {
  KeySet keys;
  add(keys, Algorithm::hs256, kSecret, "");
  add(keys, Algorithm::es256, kPublicKey, "");
  add(keys, Algorithm::hs256, kSecret, "h");
  return keys;
}

TokenRules make_rules() {
  TokenRules rules;
  rules.issuer = "i";
  rules.audiences = {"a"};
  rules.leeway_seconds = 5;
  rules.limits_claim = "limits";
  return rules;
}

std::string base64url(Bytes bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()),
                      static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  std::replace(out.begin(), out.end(), '+', '-');
  std::replace(out.begin(), out.end(), '/', '_');
  out.resize(std::min(out.find('='), out.size()));
  return out;
}

std::string signed_token(Bytes text) {
  const std::size_t newline = std::min(text.find('\n'), text.size());
  const Bytes payload = text.substr(std::min(newline + 1, text.size()));
  const std::string part =
      base64url(text.substr(0, newline)) + "." + base64url(payload);
  std::array<unsigned char, 32> mac{};
  HMAC(EVP_sha256(), kSecret.data(), static_cast<int>(kSecret.size()),
       reinterpret_cast<const unsigned char*>(part.data()), part.size(),
       mac.data(), nullptr);
  return part + "." +
         base64url({reinterpret_cast<const char*>(mac.data()), mac.size()});
}

// Who is chosen by its name accepts what it accepts where it is alone.
void check_issuer(Bytes token, const KeySet& keys, const TokenRules& rules) {
  if (rules.issuer.empty()) return;
  static const KeySet nobody;
  static const TokenRules other = [] {
    TokenRules made;
    made.issuer = "j";
    return made;
  }();
  Issuers issuers;
  issuers.add(nobody, other);
  issuers.add(keys, rules);
  require(verify(token, issuers, kNow).ok() ==
          verify(token, keys, rules, kNow).ok());
}

// Accepted: what it says holds. And a byte more, or one less, is refused.
void check(Bytes token, const KeySet& keys, const TokenRules& rules) {
  check_issuer(token, keys, rules);
  const auto result = verify(token, keys, rules, kNow);
  if (!result) {
    require(!token_error_text(result.error()).empty());
    return;
  }
  require(token.size() <= kMaxTokenSize);
  require(result->expires.value_or(kNow + 1) > kNow);
  require(paperboy::is_utf8(result->user) && paperboy::is_utf8(result->id));
  (void)result->grants.allows(Scope::publish, token);
  require(!verify(std::string(token) + "A", keys, rules, kNow).ok());
  require(!verify(token.substr(0, token.size() - 1), keys, rules, kNow).ok());
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it so
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  static const KeySet keys = make_keys();
  static const TokenRules open;
  static const TokenRules strict = make_rules();
  const Bytes input(reinterpret_cast<const char*>(data), size);
  if (input.empty()) {
    return 0;
  }
  const Bytes rest = input.substr(1);
  const TokenRules& rules = (input[0] & 2) != 0 ? strict : open;
  if ((input[0] & 1) != 0) {
    check(signed_token(rest), keys, rules);
  } else {
    check(token_from_header(rest), keys, rules);
    check(subprotocol_token(rest), keys, rules);
  }
  return 0;
}
