#include "base/json_parameters.hpp"

#include <algorithm>
#include <charconv>

#include "base/json.hpp"

namespace paperboy {

std::optional<std::string> json_string(Bytes value) {
  if (!value.starts_with('"')) return {};
  if (value.find('\\') == Bytes::npos) {
    return std::string(value.substr(1, value.size() - 2));
  }
  const auto json = Json::parse(value);
  if (!json) return {};
  return std::string(json->as_string());
}

std::optional<std::string> json_name(const JsonMembers& member) {
  std::string quoted;
  quoted.append("\"").append(member.name()).append("\"");
  return json_string(quoted);
}

bool has_name(const JsonMembers& member, Bytes name) {
  Bytes rest = member.name();
  for (const char c : name) {
    std::size_t size = 1;
    if (rest.starts_with("\\u00")) {
      unsigned code = 0;
      std::from_chars(rest.data() + 4, rest.data() + 6, code, 16);
      if (code != static_cast<unsigned char>(c)) return false;
      size = 6;
    } else if (!rest.starts_with(c)) {
      return false;
    }
    rest.remove_prefix(size);
  }
  return rest.empty();
}

void JsonParameters::spoil(Bytes name) {
  if (good_) wrong_ = name;
  good_ = false;
}

bool JsonParameters::has_only(std::span<const Bytes> names) const {
  for (JsonMembers member(object_); member.next();) {
    const auto is_it = [&](Bytes name) { return has_name(member, name); };
    if (std::ranges::none_of(names, is_it)) return false;
  }
  return true;
}

Bytes JsonParameters::any(Bytes name) {
  Bytes found;
  for (JsonMembers member(object_); member.next();) {
    if (!has_name(member, name)) continue;
    if (!found.empty()) spoil(name);
    found = member.value();
  }
  return found;
}

Bytes JsonParameters::raw(Bytes name) {
  const Bytes value = any(name);
  return value == "null" ? Bytes() : value;
}

std::string JsonParameters::text(Bytes name) {
  const Bytes value = raw(name);
  if (value.empty()) return {};
  auto string = json_string(value);
  if (!string) spoil(name);
  return std::move(string).value_or(std::string());
}

bool JsonParameters::flag(Bytes name) {
  const Bytes value = raw(name);
  if (!value.empty() && value != "true" && value != "false") spoil(name);
  return value == "true";
}

template <typename Number>
Number JsonParameters::read_number(Bytes name) {
  const Bytes value = raw(name);
  if (value.empty()) return 0;
  Number number = 0;
  const char* const end = value.data() + value.size();
  const auto read = std::from_chars(value.data(), end, number);
  if (read.ec != std::errc() || read.ptr != end) spoil(name);
  return number;
}

std::uint64_t JsonParameters::number(Bytes name) {
  return read_number<std::uint64_t>(name);
}

std::int64_t JsonParameters::integer(Bytes name) {
  return read_number<std::int64_t>(name);
}

std::optional<JsonParameters> JsonParameters::object(Bytes name) {
  const Bytes value = raw(name);
  if (value.empty()) return {};
  if (!value.starts_with('{')) {
    spoil(name);
    return {};
  }
  return JsonParameters(value);
}

bool JsonParameters::asks(Bytes name) {
  const Bytes value = raw(name);
  return !value.empty() && value != "0" && value != "\"\"" && value != "false";
}

}  // namespace paperboy
