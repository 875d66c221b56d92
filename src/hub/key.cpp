#include "hub/key.hpp"

#include <utility>

#include "base/utf8.hpp"

namespace paperboy::hub {

Result<Done> check_key(Bytes name_space, Bytes name, std::size_t max_length) {
  const auto refuse = [](Bytes why) {
    return Error{ErrorCode::channel_name, why};
  };
  if (name.empty()) return refuse("no channel is named");
  if (name.size() > max_length) {
    return refuse(
        "the channel's name is longer than paperboy_max_channel_length");
  }
  if (name_space.size() > kMaxNamespace) {
    return refuse("the value of paperboy_namespace is longer than 256 bytes");
  }
  if (name_space.find('\0') != Bytes::npos) {
    return refuse("the value of paperboy_namespace has a NUL in it");
  }
  if (name.find('\0') != Bytes::npos || !is_utf8(name)) {
    return refuse("the channel's name is not UTF-8 without NUL");
  }
  return Done{};
}

Bytes join_key(Bytes name_space, Bytes name, std::string& room) {
  if (name_space.empty()) return name;
  room.reserve(name_space.size() + 1 + name.size());
  room.assign(name_space).push_back('\0');
  return room.append(name);
}

Result<std::string> channel_key(Bytes name_space, Bytes name,
                                std::size_t max_length) {
  const auto checked = check_key(name_space, name, max_length);
  if (!checked) return checked.error();
  std::string room;
  const Bytes key = join_key(name_space, name, room);
  return room.empty() ? std::string(key) : std::move(room);
}

Bytes channel_name(Bytes key) {
  const auto nul = key.find('\0');
  return nul == Bytes::npos ? key : key.substr(nul + 1);
}

Bytes channel_namespace(Bytes key) {
  const auto nul = key.find('\0');
  return nul == Bytes::npos ? Bytes() : key.substr(0, nul);
}

}  // namespace paperboy::hub
