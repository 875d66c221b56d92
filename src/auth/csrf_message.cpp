#include "auth/csrf_message.hpp"

#include "base/json_text.hpp"

namespace paperboy::auth {

namespace {

constexpr Bytes kWhite = " \t\r\n";

bool is_object(Bytes text) {
  const std::size_t first = text.find_first_not_of(kWhite);
  return first != Bytes::npos && text[first] == '{' && is_json(text);
}

/// The object without the member whose value is `value`, a string in it.
void append_without(std::string& out, Bytes object, Bytes value) {
  std::size_t begin = static_cast<std::size_t>(value.data() - object.data());
  std::size_t end = begin + value.size();
  begin = object.rfind("\"csrf\"", begin);
  // The comma before it goes too, or, where it is the first, the one behind.
  const std::size_t before = object.find_last_not_of(kWhite, begin - 1);
  const std::size_t behind = object.find_first_not_of(kWhite, end);
  if (object[before] == ',') {
    begin = before;
  } else if (object[behind] == ',') {
    end = behind + 1;
  }
  out.append(object.substr(0, begin)).append(object.substr(end));
}

}  // namespace

std::optional<Bytes> take_csrf(Bytes object, std::string& rest) {
  if (!is_object(object)) return {};
  std::optional<Bytes> token;
  for (JsonMembers members(object); members.next();) {
    // Names are compared as they stand: one that is escaped isn't ours.
    if (members.name() != "csrf") continue;
    const Bytes value = members.value();
    if (token || value.size() < 2 || value.front() != '"') return {};
    token = value;
  }
  if (!token) return {};
  append_without(rest, object, *token);
  return token->substr(1, token->size() - 2);
}

}  // namespace paperboy::auth
