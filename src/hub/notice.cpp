//   notice = version kind epoch offset string*
//
// Numbers and strings are those of base/packing.hpp.
#include "hub/notice.hpp"

#include "base/packing.hpp"

namespace paperboy::hub {

namespace {

// Workers of two builds may share a log while nginx is upgraded.
constexpr std::uint64_t kVersion = 1;

constexpr Bytes kUsers{"\0\0user\0", 7};

/// In the order in which they are written.
template <typename Text, typename Any, typename Visit>
void each_text(Any& notice, Visit visit) {
  for (Text* const text : {&notice.name_space, &notice.client, &notice.user,
                           &notice.channel, &notice.data, &notice.extra}) {
    visit(*text);
  }
}

}  // namespace

std::string user_channel(Bytes name_space, Bytes user) {
  std::string key(kUsers);
  return key.append(name_space).append(1, '\0').append(user);
}

bool is_user_channel(Bytes key) { return key.starts_with(kUsers); }

std::string encode(const Notice& notice) {
  std::string out;
  put(out, kVersion);
  put(out, static_cast<std::uint64_t>(notice.kind));
  put(out, notice.position.epoch);
  put(out, notice.position.offset);
  each_text<const std::string>(
      notice, [&](const std::string& text) { put(out, text); });
  return out;
}

bool is_urgent(Bytes notice) {
  Unpacker in(notice);
  return in.number() == kVersion &&
         in.number() == static_cast<std::uint64_t>(Notice::Kind::closed);
}

std::optional<Notice> decode_notice(Bytes text) {
  Unpacker in(text);
  if (in.number() != kVersion) return {};
  const std::uint64_t kind = in.number();
  if (kind > static_cast<std::uint64_t>(Notice::Kind::last)) return {};
  Notice notice{.kind = static_cast<Notice::Kind>(kind), .name_space = {}};
  notice.position.epoch = in.number();
  notice.position.offset = in.number();
  each_text<std::string>(notice,
                         [&](std::string& member) { member = in.text(); });
  if (!in.done()) return {};
  return notice;
}

}  // namespace paperboy::hub
