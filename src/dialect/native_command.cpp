//   command = "{" [ "id": 1..2^32-1 , ] [ method ":" parameters ] "}"
//
// The text is checked once, strictly, and then cut: data stays the bytes that
// it was, since it is published so. Only strings go through a JSON parser.
#include "dialect/native_command.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

#include "base/json.hpp"
#include "base/json_text.hpp"

namespace paperboy::dialect {

namespace {

constexpr Close kBad{close::kBadRequest, "bad request"};

// In the order of definitions/client.proto: of several in one command the
// first counts.
constexpr std::array<Bytes, 12> kMethods{
    "connect",        "subscribe",  "unsubscribe", "publish", "presence",
    "presence_stats", "history",    "ping",        "send",    "rpc",
    "refresh",        "sub_refresh"};
constexpr std::size_t kNone = kMethods.size();

std::optional<std::string> string_of(Bytes value) {
  if (!value.starts_with('"')) return {};
  if (value.find('\\') == Bytes::npos) {
    return std::string(value.substr(1, value.size() - 2));
  }
  const auto json = Json::parse(value);
  if (!json) return {};
  return std::string(json->as_string());
}

std::optional<std::string> name_of(const JsonMembers& member) {
  std::string quoted;
  quoted.append("\"").append(member.name()).append("\"");
  return string_of(quoted);
}

/// `name` has letters and "_" only, for which JSON has one kind of escape.
/// Without a parser, since it is asked of every member for every name.
bool is_name(const JsonMembers& member, Bytes name) {
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

/// The parameters of a command, by name.
class Parameters {
 public:
  explicit Parameters(Bytes object) : object_(object) {}

  /// As it stands; empty: there is none, or it is null. A name that stands
  /// twice is malformed, since readers differ on which one counts.
  Bytes raw(Bytes name) {
    Bytes found;
    for (JsonMembers member(object_); member.next();) {
      if (!is_name(member, name)) continue;
      if (!found.empty()) good_ = false;
      found = member.value();
    }
    return found == "null" ? Bytes() : found;
  }

  std::string text(Bytes name) {
    const Bytes value = raw(name);
    if (value.empty()) return {};
    auto string = string_of(value);
    if (!string) good_ = false;
    return std::move(string).value_or(std::string());
  }

  bool flag(Bytes name) {
    const Bytes value = raw(name);
    if (!value.empty() && value != "true" && value != "false") good_ = false;
    return value == "true";
  }

  /// A whole number that is at least 0; 0 where there is none.
  std::uint64_t number(Bytes name) {
    const Bytes value = raw(name);
    if (value.empty()) return 0;
    std::uint64_t number = 0;
    const char* const end = value.data() + value.size();
    const auto read = std::from_chars(value.data(), end, number);
    if (read.ec != std::errc() || read.ptr != end) good_ = false;
    return number;
  }

  /// Of an object; where there is none, nothing.
  std::optional<Parameters> object(Bytes name) {
    const Bytes value = raw(name);
    if (value.empty()) return {};
    if (!value.starts_with('{')) {
      good_ = false;
      return {};
    }
    return Parameters(value);
  }

  Place place() { return {text("epoch"), number("offset")}; }

  void spoil() { good_ = false; }

  /// Present, and not what it is by default.
  bool asks(Bytes name) {
    const Bytes value = raw(name);
    return !value.empty() && value != "0" && value != "\"\"";
  }

  [[nodiscard]] bool good() const { return good_; }

 private:
  Bytes object_;
  bool good_ = true;
};

Decoded read_publish(std::uint64_t id, Parameters& parameters) {
  Publish command{
      .id = id, .channel = parameters.text("channel"), .message = {}};
  command.message.data = parameters.raw("data");
  if (parameters.asks("type")) return Refused{id, ErrorCode::not_available};
  if (command.message.data.empty()) return Refused{id, ErrorCode::bad_request};
  return command;
}

/// Server-side filters and maps change what a subscriber gets: to pass them
/// over would be to half-work.
Decoded read_subscribe(std::uint64_t id, Parameters& parameters) {
  Subscribe command{id,
                    parameters.text("channel"),
                    parameters.text("token"),
                    {},
                    parameters.flag("join_leave")};
  const Place place = parameters.place();
  if (parameters.flag("recover")) command.since = place;
  if (parameters.asks("type") || parameters.asks("tf")) {
    return Refused{id, ErrorCode::not_available};
  }
  return command;
}

Decoded read_sub_refresh(std::uint64_t id, Parameters& parameters) {
  SubRefresh command{id, parameters.text("channel"), parameters.text("token")};
  if (parameters.asks("type")) return Refused{id, ErrorCode::not_available};
  return command;
}

/// "subs": where it was in the channels that the server subscribes it to.
Decoded read_connect(std::uint64_t id, Parameters& parameters) {
  Connect command{id, parameters.text("token"), {}};
  const Bytes subs = parameters.raw("subs");
  if (subs.empty()) return command;
  if (!subs.starts_with('{')) parameters.spoil();
  if (!parameters.good()) return command;
  for (JsonMembers member(subs); member.next();) {
    const auto channel = name_of(member);
    if (!channel || !member.value().starts_with('{')) {
      parameters.spoil();
      break;
    }
    Parameters one(member.value());
    const bool recover = one.flag("recover");
    Return before{*channel, one.place()};
    if (!one.good()) parameters.spoil();
    if (recover) command.returns.push_back(std::move(before));
  }
  return command;
}

/// A limit below 0 is none.
Decoded read_history(std::uint64_t id, Parameters& parameters) {
  History command{
      id, parameters.text("channel"), {}, 0, parameters.flag("reverse")};
  const bool all = parameters.raw("limit").starts_with('-');
  command.limit = all ? HistoryQuery::kAll
                      : static_cast<std::uint32_t>(std::min<std::uint64_t>(
                            parameters.number("limit"), HistoryQuery::kAll));
  if (auto since = parameters.object("since")) {
    command.since = since->place();
    if (!since->good()) parameters.spoil();
  }
  return command;
}

Decoded read_method(std::uint64_t id, std::size_t method,
                    Parameters& parameters) {
  switch (method) {
    case 0:
      return read_connect(id, parameters);
    case 1:
      return read_subscribe(id, parameters);
    case 2:
      return Unsubscribe{id, parameters.text("channel")};
    case 3:
      return read_publish(id, parameters);
    case 4:
      return Presence{id, parameters.text("channel")};
    case 5:
      return PresenceStats{id, parameters.text("channel")};
    case 6:
      return read_history(id, parameters);
    case 7:
      return Ping{id};
    case 8:
      return Close{close::kNotAvailable, "not available"};
    case 10:
      return Refresh{id, parameters.text("token")};
    case 11:
      return read_sub_refresh(id, parameters);
    default:
      return Refused{id, ErrorCode::no_method};
  }
}

std::optional<std::uint32_t> read_id(Bytes value) {
  std::uint32_t id = 0;
  const char* const end = value.data() + value.size();
  const auto read = std::from_chars(value.data(), end, id);
  if (read.ec != std::errc() || read.ptr != end) return {};
  return id;
}

struct Envelope {
  std::uint32_t id = 0;
  std::size_t method = kNone;
  Bytes parameters;
  bool empty = true;  // no member at all
};

/// False: malformed.
bool take_member(const JsonMembers& member, Envelope& envelope) {
  envelope.empty = false;
  if (is_name(member, "id")) {
    const auto id = read_id(member.value());
    if (!id || envelope.id != 0) return false;
    envelope.id = *id;
    return true;
  }
  for (std::size_t i = 0; i < kMethods.size(); ++i) {
    if (!is_name(member, kMethods[i]) || member.value() == "null") continue;
    if (!member.value().starts_with('{') || i == envelope.method) return false;
    if (i > envelope.method) return true;
    envelope.method = i;
    envelope.parameters = member.value();
  }
  return true;
}

}  // namespace

Decoded read_native_command(Bytes text) {
  if (!is_json(text)) return kBad;
  text.remove_prefix(text.find_first_not_of(" \t\r\n"));
  if (!text.starts_with('{')) return kBad;
  Envelope envelope;
  for (JsonMembers member(text); member.next();) {
    if (!take_member(member, envelope)) return kBad;
  }
  if (envelope.empty) return NeedMore{};
  const bool send =
      envelope.method < kNone && kMethods[envelope.method] == "send";
  if (envelope.id == 0 && !send) return kBad;
  if (envelope.method == kNone) {
    return Refused{envelope.id, ErrorCode::no_method};
  }
  Parameters parameters(envelope.parameters);
  auto command = read_method(envelope.id, envelope.method, parameters);
  if (!parameters.good()) return kBad;
  return command;
}

}  // namespace paperboy::dialect
