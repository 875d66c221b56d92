//   command = "{" [ "id": 1..2^32-1 , ] [ method ":" parameters ] "}"
//
// The text is checked once, strictly, and then cut: data stays the bytes that
// it was, since it is published so. Only strings go through a JSON parser.
#include "dialect/native_command.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/json_parameters.hpp"

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

/// What it says of where it was.
Place place_of(JsonParameters& parameters) {
  return {parameters.text("epoch"), parameters.number("offset")};
}

Decoded read_publish(std::uint64_t id, JsonParameters& parameters) {
  Publish command{
      .id = id, .channel = parameters.text("channel"), .message = {}};
  command.message.data = parameters.raw("data");
  if (parameters.asks("type")) return Refused{id, ErrorCode::not_available};
  if (command.message.data.empty()) return Refused{id, ErrorCode::bad_request};
  return command;
}

/// Server-side filters and maps change what a subscriber gets: to pass them
/// over would be to half-work.
Decoded read_subscribe(std::uint64_t id, JsonParameters& parameters) {
  Subscribe command{id,
                    parameters.text("channel"),
                    parameters.text("token"),
                    {},
                    parameters.flag("join_leave")};
  const Place place = place_of(parameters);
  if (parameters.flag("recover")) command.since = place;
  if (parameters.asks("type") || parameters.asks("tf")) {
    return Refused{id, ErrorCode::not_available};
  }
  return command;
}

Decoded read_sub_refresh(std::uint64_t id, JsonParameters& parameters) {
  SubRefresh command{id, parameters.text("channel"), parameters.text("token")};
  if (parameters.asks("type")) return Refused{id, ErrorCode::not_available};
  return command;
}

/// "subs": where it was in the channels that the server subscribes it to.
Decoded read_connect(std::uint64_t id, JsonParameters& parameters) {
  Connect command{id, parameters.text("token"), {}};
  const Bytes subs = parameters.raw("subs");
  if (subs.empty()) return command;
  if (!subs.starts_with('{')) parameters.spoil("subs");
  if (!parameters.good()) return command;
  for (JsonMembers member(subs); member.next();) {
    const auto channel = json_name(member);
    if (!channel || !member.value().starts_with('{')) {
      parameters.spoil("subs");
      break;
    }
    JsonParameters one(member.value());
    const bool recover = one.flag("recover");
    Return before{*channel, place_of(one)};
    if (!one.good()) parameters.spoil("subs");
    if (recover) command.returns.push_back(std::move(before));
  }
  return command;
}

/// A limit below 0 is none.
Decoded read_history(std::uint64_t id, JsonParameters& parameters) {
  History command{
      id, parameters.text("channel"), {}, 0, parameters.flag("reverse")};
  const bool all = parameters.raw("limit").starts_with('-');
  command.limit = all ? HistoryQuery::kAll
                      : static_cast<std::uint32_t>(std::min<std::uint64_t>(
                            parameters.number("limit"), HistoryQuery::kAll));
  if (auto since = parameters.object("since")) {
    command.since = place_of(*since);
    if (!since->good()) parameters.spoil("since");
  }
  return command;
}

Decoded read_method(std::uint64_t id, std::size_t method,
                    JsonParameters& parameters) {
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
  if (has_name(member, "id")) {
    const auto id = read_id(member.value());
    if (!id || envelope.id != 0) return false;
    envelope.id = *id;
    return true;
  }
  for (std::size_t i = 0; i < kMethods.size(); ++i) {
    if (!has_name(member, kMethods[i]) || member.value() == "null") continue;
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
  JsonParameters parameters(envelope.parameters);
  auto command = read_method(envelope.id, envelope.method, parameters);
  if (!parameters.good()) return kBad;
  return command;
}

}  // namespace paperboy::dialect
