//   query    := version name-space pattern room
//   channels := version (name subscribers)*
#include "api/active_channels.hpp"

#include "api/glob.hpp"
#include "base/packing.hpp"

namespace paperboy::api {

namespace {

constexpr std::uint64_t kVersion = 1;

constexpr std::size_t kAround = 22;  // bytes: "":{"num_clients":12},

std::string key_of(const std::string& name_space) {
  return name_space.empty() ? std::string() : name_space + '\0';
}

}  // namespace

std::string ChannelsQuery::prefix() const {
  return key_of(name_space).append(literal_prefix(pattern));
}

/// What begins with a NUL is our own, and what has another is of a namespace,
/// not of this one.
Bytes ChannelsQuery::name(Bytes key) const {
  const std::string begin = key_of(name_space);
  if (!key.starts_with(begin)) return {};
  const Bytes name = key.substr(begin.size());
  if (name.find('\0') != Bytes::npos) return {};
  if (!pattern.empty() && !matches(pattern, name)) return {};
  return name;
}

std::string encode(const ChannelsQuery& query) {
  std::string out;
  put(out, kVersion);
  put(out, query.name_space);
  put(out, query.pattern);
  put(out, query.room);
  return out;
}

std::optional<ChannelsQuery> decode_query(Bytes text) {
  Unpacker in(text);
  if (in.number() != kVersion) return {};
  ChannelsQuery query;
  query.name_space = in.text();
  query.pattern = in.text();
  query.room = in.number();
  if (!in.done()) return {};
  return query;
}

Result<Done> ActiveChannels::add(Bytes name, std::uint64_t subscribers) {
  const auto [found, made] = all_.try_emplace(std::string(name), 0);
  found->second += subscribers;
  if (!made) return Done{};
  const std::size_t size = name.size() + kAround;
  if (size > room_) return Error{ErrorCode::too_large, {}};
  room_ -= size;
  return Done{};
}

Result<Done> ActiveChannels::add_encoded(Bytes text) {
  Unpacker in(text);
  if (in.number() != kVersion) return Error{ErrorCode::internal, {}};
  while (in.good() && !in.at_end()) {
    const Bytes name = in.text();
    const std::uint64_t subscribers = in.number();
    if (!in.good()) break;
    const auto added = add(name, subscribers);
    if (!added) return added.error();
  }
  if (!in.done()) return Error{ErrorCode::internal, {}};
  return Done{};
}

std::string ActiveChannels::encode() const {
  std::string out;
  put(out, kVersion);
  for (const auto& [name, subscribers] : all_) {
    put(out, name);
    put(out, subscribers);
  }
  return out;
}

}  // namespace paperboy::api
