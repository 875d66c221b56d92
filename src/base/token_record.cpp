//   record = version kind node expires issued sliding hash claims
//
// Numbers and strings are those of packing.hpp.
#include "base/token_record.hpp"

#include "base/packing.hpp"

namespace paperboy {

namespace {

// Workers of two builds may share a zone while nginx is upgraded, or a Redis.
constexpr std::uint64_t kVersion = 1;

}  // namespace

std::string encode(const TokenRecord& record) {
  std::string out;
  put(out, kVersion);
  put(out, static_cast<std::uint64_t>(record.kind));
  put(out, record.node);
  put(out, static_cast<std::uint64_t>(record.expires));
  put(out, static_cast<std::uint64_t>(record.issued));
  put(out, std::uint64_t{record.sliding});
  put(out, record.hash);
  put(out, record.claims);
  return out;
}

std::optional<TokenRecord> decode_token_record(Bytes text) {
  Unpacker in(text);
  if (in.number() != kVersion) return {};
  const std::uint64_t kind = in.number();
  if (kind < 1 || kind > static_cast<std::uint64_t>(TokenRecord::Kind::end)) {
    return {};
  }
  TokenRecord made;
  made.kind = static_cast<TokenRecord::Kind>(kind);
  made.node = in.number();
  made.expires = static_cast<std::int64_t>(in.number());
  made.issued = static_cast<std::int64_t>(in.number());
  const std::uint64_t sliding = in.number();
  made.sliding = static_cast<std::uint32_t>(sliding);
  made.hash = in.text();
  made.claims = in.text();
  if (!in.done() || made.hash.size() != TokenRecord::kHash ||
      sliding > static_cast<std::uint64_t>(TokenRecord::kMaxSeconds) ||
      made.expires < 0 || made.issued < 0) {
    return {};
  }
  return made;
}

}  // namespace paperboy
