// Key sets from strangers: a location's answer, or a file. After the first
// byte, which says whether secrets are taken: the text as it is.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "auth/jwks.hpp"
#include "auth/jwt.hpp"
#include "auth/key_set.hpp"

namespace {

using paperboy::Bytes;
using namespace paperboy::auth;

constexpr std::int64_t kNow = 1700000000;
constexpr JwksLimits kLimits{.size = 4096, .keys = 8};

// {"alg":"ES256","kid":"a"} . {} . 64 bytes
constexpr Bytes kToken =
    "eyJhbGciOiJFUzI1NiIsImtpZCI6ImEifQ.e30."
    "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ"
    "EBAQEBAQEBAQ";

void require(bool holds) {
  if (!holds) std::abort();
}

bool is_printable(const std::string& text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

// What is taken verifies, and never without a good signature.
void check(Jwks set, bool secrets) {
  require(set.keys.empty() == !why_no_key(set).empty());
  require(is_printable(why_no_key(set)));
  require(set.keys.size() + set.skipped.size() <= kLimits.keys);
  for (const std::string& why : set.skipped) require(is_printable(why));
  for (const Key& key : set.keys) {
    require(key.kid().size() <= 256 && !key.weak());
    require(is_hmac(key.algorithm()) ? secrets : key.public_key() != nullptr);
  }
  KeySet keys;
  const auto source = std::make_shared<KeySource>();
  source->replace(std::move(set.keys));
  keys.add(source);
  require(!verify(kToken, keys, {}, kNow).ok());
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it so
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const Bytes input(reinterpret_cast<const char*>(data), size);
  if (input.empty()) return 0;
  JwksLimits limits = kLimits;
  limits.secrets = (input[0] & 1) != 0;
  auto set = read_jwks(input.substr(1), limits);
  if (!set) {
    require(is_printable(set.error()));
    return 0;
  }
  check(std::move(*set), limits.secrets);
  return 0;
}
