#include "broker/redis_identity.hpp"

namespace paperboy::broker::redis {

namespace {

/// Of the line "name:value".
Bytes value_of(Bytes info, Bytes name) {
  while (!info.empty()) {
    const Bytes line = info.substr(0, info.find("\r\n"));
    if (line.starts_with(name) && line.substr(name.size()).starts_with(':')) {
      return line.substr(name.size() + 1);
    }
    info.remove_prefix(std::min(info.size(), line.size() + 2));
  }
  return {};
}

}  // namespace

std::optional<Identity> parse_identity(Bytes info) {
  const Bytes role = value_of(info, "role");
  const Bytes id =
      value_of(info, "master_replid").substr(0, kReplicationIdDigits);
  if (role.empty() || id.size() != kReplicationIdDigits ||
      id.find_first_not_of("0123456789abcdef") != Bytes::npos) {
    return std::nullopt;
  }
  return Identity{role == "master", std::string(id)};
}

}  // namespace paperboy::broker::redis
