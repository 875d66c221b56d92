#include "api/read.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <set>
#include <utility>

#include "base/base64.hpp"
#include "base/centrifugal.hpp"
#include "base/close.hpp"
#include "base/utf8.hpp"

namespace paperboy::api {

namespace {

constexpr Refused kBad{ErrorCode::bad_request};
constexpr Refused kUnavailable{ErrorCode::not_available};

constexpr std::size_t kMaxReason = 123;  // bytes: RFC 6455 section 5.5.1

/// The strings of an array.
std::vector<std::string> texts(JsonParameters& parameters, Bytes name) {
  std::vector<std::string> all;
  const Bytes array = parameters.raw(name);
  if (array.empty()) return all;
  if (!array.starts_with('[')) parameters.spoil(name);
  if (!parameters.good()) return all;
  for (JsonElements element(array); element.next();) {
    auto text = json_string(element.value());
    if (!text) {
      parameters.spoil(name);
      break;
    }
    all.push_back(std::move(*text));
  }
  return all;
}

/// A map from text to text, as the member of a publication that it becomes.
std::string read_tags(JsonParameters& parameters) {
  const Bytes tags = parameters.raw("tags");
  if (tags.empty()) return {};
  if (!tags.starts_with('{')) {
    parameters.spoil("tags");
    return {};
  }
  std::set<std::string> names;
  for (JsonMembers member(tags); member.next();) {
    const auto name = json_name(member);
    const bool good = name && json_string(member.value());
    if (!good || !names.insert(*name).second) parameters.spoil("tags");
  }
  if (names.empty()) return {};
  std::string extra = R"("tags":)";
  append_json_line(extra, tags);
  return extra;
}

/// JSON as it stands, or what `base64` says in base64; nothing: neither is
/// good. Empty: there is neither.
std::optional<std::string> read_json(JsonParameters& parameters, Bytes name,
                                     Bytes base64) {
  const std::string coded = parameters.text(base64);
  if (coded.empty()) {
    std::string json;
    append_json_line(json, parameters.raw(name));
    return json;
  }
  const auto decoded = base64_decode(coded);
  if (!decoded || !is_utf8(*decoded) || !is_json(*decoded)) return {};
  std::string json;
  append_json_line(json, *decoded);
  return json;
}

/// False: there is no message, or none that can be.
bool read_message(JsonParameters& parameters, Publish& command) {
  const std::string coded = parameters.text("b64data");
  if (!coded.empty()) {
    auto decoded = base64_decode(coded);
    command.kind = Kind::binary;
    command.decoded = std::move(decoded).value_or(std::string());
    return !command.decoded.empty();
  }
  command.data = parameters.any("data");
  return is_json(command.data);  // not nested too deep, too
}

/// A version decides what is passed over: not to heed it would lose messages.
Command read_publish(JsonParameters& parameters, bool broadcast) {
  Publish command;
  command.broadcast = broadcast;
  if (broadcast) {
    command.channels = texts(parameters, "channels");
  } else {
    command.channels.push_back(parameters.text("channel"));
  }
  command.passing = parameters.flag("skip_history");
  command.extra = read_tags(parameters);
  command.idempotency_key = parameters.text("idempotency_key");
  parameters.flag("delta");  // all clients get the whole
  const bool versioned = parameters.number("version") != 0;
  const bool message = read_message(parameters, command);
  if (!message || command.channels.empty() ||
      command.idempotency_key.size() > Draft::kMaxIdempotencyKey) {
    return kBad;
  }
  if (versioned) return kUnavailable;
  return command;
}

/// Whom an order is for. False: it doesn't say, or by what isn't had here.
bool read_clients(JsonParameters& parameters, hub::Order& order) {
  const Bytes user = parameters.raw("user");
  if (!user.empty()) order.user = parameters.text("user");
  order.client = parameters.text("client");
  return order.user || !order.client.empty();
}

bool asks_more(JsonParameters& parameters) {
  return parameters.asks("session") || parameters.asks("label_filter") ||
         parameters.asks("all_users");
}

/// Every subscription is positioned and can be recovered; the rest is the
/// channel's rule's to say.
bool overrides(JsonParameters& parameters) {
  auto override = parameters.object("override");
  if (!override) return false;
  return !override->raw("presence").empty() ||
         !override->raw("join_leave").empty() ||
         !override->raw("force_push_join_leave").empty();
}

Command read_subscribe(JsonParameters& parameters, hub::Order order) {
  order.kind = hub::Order::Kind::subscribe;
  order.channel = parameters.text("channel");
  order.expires = parameters.integer("expire_at");
  auto info = read_json(parameters, "info", "b64info");
  auto data = read_json(parameters, "data", "b64data");
  if (auto since = parameters.object("recover_since")) {
    const std::string epoch = since->text("epoch");
    order.since = position_of(epoch, since->number("offset"));
    if (!since->good()) parameters.spoil("recover_since");
  }
  if (overrides(parameters)) return kUnavailable;
  if (!info || !data || order.channel.empty() || order.expires < 0) return kBad;
  order.info = std::move(*info);
  order.data = std::move(*data);
  return Instruct{std::move(order)};
}

Command read_unsubscribe(JsonParameters& parameters, hub::Order order) {
  order.kind = hub::Order::Kind::unsubscribe;
  order.channel = parameters.text("channel");
  return Instruct{std::move(order)};
}

Command read_disconnect(JsonParameters& parameters, hub::Order order) {
  order.kind = hub::Order::Kind::disconnect;
  order.code = close::kForceDisconnect;
  order.reason = "force disconnect";
  order.spared = texts(parameters, "whitelist");
  auto disconnect = parameters.object("disconnect");
  if (!disconnect) return Instruct{std::move(order)};
  const std::uint64_t code = disconnect->number("code");
  order.reason = disconnect->text("reason");
  if (!disconnect->good()) parameters.spoil("disconnect");
  // What an application may say, or what clients know: RFC 6455 section 7.4.2.
  if (code < 3000 || code > 4999 || order.reason.size() > kMaxReason) {
    return kBad;
  }
  order.code = static_cast<std::uint16_t>(code);
  return Instruct{std::move(order)};
}

Command read_refresh(JsonParameters& parameters, hub::Order order) {
  order.kind = hub::Order::Kind::refresh;
  order.expired = parameters.flag("expired");
  order.expires = parameters.integer("expire_at");
  append_json_line(order.info, parameters.raw("info"));
  if (order.expires < 0) return kBad;
  return Instruct{std::move(order)};
}

using ReadOrder = Command (*)(JsonParameters&, hub::Order);

Command read_order(JsonParameters& parameters, ReadOrder read) {
  hub::Order order;
  const bool named = read_clients(parameters, order);
  const bool more = asks_more(parameters);
  Command command = read(parameters, std::move(order));
  if (more) return kUnavailable;
  if (!named) return kBad;
  return command;
}

/// An id or a user that is null is any.
Command read_revoke(JsonParameters& parameters) {
  Revoke command;
  auto& [revocation, before, seconds] = command.wish;
  revocation.token = parameters.text("jti");
  if (!parameters.raw("user").empty()) {
    revocation.user = parameters.text("user");
  }
  revocation.channel = parameters.text("channel");
  const bool timed = !parameters.raw("issued_before").empty();
  const std::uint64_t issued = parameters.number("issued_before");
  seconds = parameters.number("ttl");
  if (revocation.token.size() > Revocation::kMaxToken ||
      revocation.user.value_or("").size() > Revocation::kMaxUser ||
      issued > Revocation::kAlways) {
    return kBad;
  }
  if (timed) before = static_cast<std::uint32_t>(issued);
  return command;
}

/// As the claims of a token, each byte for byte. Nothing, which is none, where
/// there is anything else: what is misspelt would open more than is meant, as
/// without channels it is good for those of any location.
std::string read_claims(JsonParameters& parameters) {
  constexpr auto kNames =
      std::to_array<Bytes>({"ttl", "sliding", "user", "channel", "channels",
                            "scope", "caps", "info", "limits"});
  if (!parameters.has_only(kNames)) return {};
  constexpr std::array<std::pair<Bytes, Bytes>, 7> kClaims{{
      {"user", "sub"},
      {"channel", "channel"},
      {"channels", "channels"},
      {"scope", "scope"},
      {"caps", "caps"},
      {"info", "info"},
      {"limits", "limits"},
  }};
  std::string claims = "{";
  for (const auto& [name, claim] : kClaims) {
    const Bytes value = parameters.raw(name);
    if (value.empty()) continue;
    if (claims.size() > 1) claims += ',';
    claims.append("\"").append(claim).append("\":");
    append_json_line(claims, value);
  }
  return claims.append("}");
}

Command read_create_token(JsonParameters& parameters) {
  CreateToken command;
  command.wish.seconds = parameters.number("ttl");
  command.wish.sliding = parameters.flag("sliding");
  command.wish.claims = read_claims(parameters);
  return command;
}

Command read_end_token(JsonParameters& parameters) {
  EndToken command{parameters.text("token")};
  std::string id = parameters.text("id");
  if (command.token.empty() == id.empty()) return kBad;
  if (command.token.empty()) command.token = std::move(id);
  return command;
}

/// A limit below 0 is none.
Command read_history(JsonParameters& parameters) {
  History command{parameters.text("channel"), {}};
  const std::int64_t limit = parameters.integer("limit");
  command.query.limit = limit < 0
                            ? HistoryQuery::kAll
                            : static_cast<std::uint32_t>(std::min<std::int64_t>(
                                  limit, HistoryQuery::kAll));
  command.query.reverse = parameters.flag("reverse");
  if (auto since = parameters.object("since")) {
    const std::string epoch = since->text("epoch");
    command.query.since = position_of(epoch, since->number("offset"));
    if (!since->good()) parameters.spoil("since");
  }
  return command;
}

using Read = Command (*)(JsonParameters&);

struct Row {
  Bytes method;
  Read read;
};

template <ReadOrder read>
Command order(JsonParameters& parameters) {
  return read_order(parameters, read);
}

/// Sets and alternatives are not known here: taken for themselves, they would
/// find nothing.
Command read_channels(JsonParameters& parameters) {
  Channels command{parameters.text("pattern")};
  if (command.pattern.find_first_of("[{\\") != std::string::npos) {
    return kUnavailable;
  }
  return command;
}

constexpr std::array kRows{
    Row{"publish", [](auto& p) { return read_publish(p, false); }},
    Row{"broadcast", [](auto& p) { return read_publish(p, true); }},
    Row{"subscribe", order<read_subscribe>},
    Row{"unsubscribe", order<read_unsubscribe>},
    Row{"disconnect", order<read_disconnect>},
    Row{"refresh", order<read_refresh>},
    Row{"revoke", read_revoke},
    Row{"token_create", read_create_token},
    Row{"token_end", read_end_token},
    Row{"presence",
        [](auto& p) -> Command {
          return Presence{p.text("channel"), false};
        }},
    Row{"presence_stats",
        [](auto& p) -> Command {
          return Presence{p.text("channel"), true};
        }},
    Row{"history", read_history},
    Row{"history_remove",
        [](auto& p) -> Command { return RemoveHistory{p.text("channel")}; }},
    Row{"channels", read_channels},
    Row{"info", [](auto&) -> Command { return Info{}; }},
};

const Row* find_row(Bytes method) {
  const auto* const found = std::ranges::find(kRows, method, &Row::method);
  return found != kRows.end() ? found : nullptr;
}

}  // namespace

Bytes known_method(Bytes name) {
  const Row* const row = find_row(name);
  return row != nullptr ? row->method : Bytes();
}

Command read_command(Bytes method, JsonParameters& parameters) {
  return find_row(method)->read(parameters);
}

}  // namespace paperboy::api
