// What workers and nodes tell each other of revocations and of opaque tokens,
// as it comes from a zone's file or from Redis, where others may write. What is
// taken is said again in the same bytes.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "auth/opaque_token.hpp"
#include "base/revocation.hpp"
#include "base/token_record.hpp"

namespace {

using paperboy::Bytes;

void require(bool holds) {
  if (!holds) std::abort();
}

void check_token(Bytes input) {
  const auto record = paperboy::decode_token_record(input);
  if (!record) return;
  require(paperboy::auth::hash_from(record->hash).has_value());
  require(record->expires >= 0 && record->issued >= 0);
  require(record->sliding <= paperboy::TokenRecord::kMaxSeconds);
  require(encode(*record) == input);
}

/// Of its words more may be written than is read.
void check_revocation(Bytes input) {
  const auto revocation = paperboy::decode_revocation(input);
  if (!revocation) return;
  const std::string text = encode(*revocation);
  require(text.size() <= input.size());
  const auto again = paperboy::decode_revocation(text);
  require(again && encode(*again) == text);
  require(again->until == revocation->until &&
          again->before == revocation->before &&
          again->user == revocation->user);
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it so
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const Bytes input(reinterpret_cast<const char*>(data), size);
  check_token(input);
  check_revocation(input);
  return 0;
}
