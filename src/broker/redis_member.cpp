#include "broker/redis_member.hpp"

#include <array>
#include <charconv>

namespace paperboy::broker::redis {

std::string pack(const Member& member, bool announced) {
  const std::array<Bytes, 4> parts = {member.client, member.user,
                                      member.conn_info, member.chan_info};
  std::string text(announced ? "1 1" : "1 0");
  for (const Bytes part : parts) {
    text.append(1, ' ').append(std::to_string(part.size()));
  }
  text += '\n';
  for (const Bytes part : parts) text += part;
  return text;
}

std::optional<Member> unpack(Bytes text) {
  const std::size_t end = text.find('\n');
  if (end == Bytes::npos) return {};
  Bytes header = text.substr(0, end);
  Bytes rest = text.substr(end + 1);
  if (!header.starts_with("1 0") && !header.starts_with("1 1")) return {};
  header.remove_prefix(3);
  std::array<Bytes, 4> parts;
  for (Bytes& part : parts) {
    if (!header.starts_with(' ')) return {};
    std::size_t size = 0;
    const char* const stop = header.data() + header.size();
    const auto [at, error] = std::from_chars(header.data() + 1, stop, size);
    if (error != std::errc() || size > rest.size()) return {};
    header.remove_prefix(static_cast<std::size_t>(at - header.data()));
    part = rest.substr(0, size);
    rest.remove_prefix(size);
  }
  if (!header.empty() || !rest.empty()) return {};
  return Member{parts[0], parts[1], parts[2], parts[3]};
}

}  // namespace paperboy::broker::redis
