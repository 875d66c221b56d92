//   revocation = version has-user before until
//                name-space token user channel
//
// Numbers and strings are those of packing.hpp.
#include "base/revocation.hpp"

#include "base/packing.hpp"

namespace paperboy {

namespace {

// Workers of two builds may share a zone while nginx is upgraded, or a Redis.
constexpr std::uint64_t kVersion = 1;

}  // namespace

std::string encode(const Revocation& revocation) {
  std::string out;
  put(out, kVersion);
  put(out, std::uint64_t{revocation.user ? 1U : 0U});
  put(out, std::uint64_t{revocation.before});
  put(out, std::uint64_t{revocation.until});
  put(out, revocation.name_space);
  put(out, revocation.token);
  put(out, Bytes(revocation.user ? Bytes(*revocation.user) : Bytes()));
  put(out, revocation.channel);
  return out;
}

std::optional<Revocation> decode_revocation(Bytes text) {
  Unpacker in(text);
  if (in.number() != kVersion) return {};
  Revocation made;
  const bool has_user = in.number() != 0;
  made.before = static_cast<std::uint32_t>(in.number());
  made.until = static_cast<std::uint32_t>(in.number());
  made.name_space = in.text();
  made.token = in.text();
  const Bytes user = in.text();
  if (has_user) made.user = std::string(user);
  made.channel = in.text();
  if (!in.done()) return {};
  return made;
}

}  // namespace paperboy
