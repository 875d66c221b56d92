// Lines are {"id":N,"METHOD":{...}}, {"id":N,"error":{...}},
// {"push":{"channel":"...","KIND":{...}}} and {}. Data is cut out as it stands;
// all else is read as JSON.
#include "cli/native.hpp"

#include "base/json.hpp"
#include "base/json_text.hpp"

namespace paperboy::cli {

namespace {

using namespace native;

/// The member of an object as text; empty where there is none.
Bytes slice(Bytes object, Bytes name) {
  for (JsonMembers members(object); members.next();) {
    if (members.name() == name) return members.value();
  }
  return {};
}

bool is_object(Bytes text) { return text.starts_with('{'); }

/// Reads what an object holds beside data.
class Fields {
 public:
  explicit Fields(Bytes object) : object_(object) {}

  [[nodiscard]] std::string text(Bytes name) const {
    const auto value = Json::parse(slice(object_, name));
    return value ? std::string(value->as_string()) : std::string();
  }
  [[nodiscard]] std::uint64_t number(Bytes name) const {
    const auto value = Json::parse(slice(object_, name));
    const auto number = value ? value->as_integer() : std::nullopt;
    return number && *number > 0 ? static_cast<std::uint64_t>(*number) : 0;
  }
  [[nodiscard]] bool flag(Bytes name) const {
    return slice(object_, name) == "true";
  }

 private:
  Bytes object_;
};

Heard read_heard(std::string channel, Bytes object) {
  const Fields fields(object);
  return {std::move(channel), fields.text("epoch"), fields.number("offset")};
}

std::optional<Event> read_connected(Bytes result) {
  Connected connected{Fields(result).number("ping"), {}};
  const Bytes subs = slice(result, "subs");
  if (!is_object(subs)) return connected;
  for (JsonMembers members(subs); members.next();) {
    const auto name = Json::parse("\"" + std::string(members.name()) + "\"");
    const Bytes value = members.value();
    if (!name || !is_object(value)) return std::nullopt;
    connected.subscriptions.push_back(
        read_heard(std::string(name->as_string()), value));
  }
  return connected;
}

std::optional<Event> read_reply(std::uint32_t id, Bytes line) {
  if (const Bytes error = slice(line, "error"); is_object(error)) {
    const Fields fields(error);
    return Failed{id, fields.number("code"), fields.text("message"),
                  fields.flag("temporary")};
  }
  if (const Bytes done = slice(line, "connect"); is_object(done)) {
    return read_connected(done);
  }
  if (const Bytes done = slice(line, "subscribe"); is_object(done)) {
    const Fields fields(done);
    return Subscribed{id, fields.text("epoch"), fields.number("offset")};
  }
  return Other{};
}

std::optional<Event> read_push(Bytes push) {
  std::string channel = Fields(push).text("channel");
  if (const Bytes pub = slice(push, "pub"); is_object(pub)) {
    const Bytes data = slice(pub, "data");
    if (data.empty()) return std::nullopt;
    return Publication{std::move(channel), Fields(pub).number("offset"), data};
  }
  if (const Bytes end = slice(push, "unsubscribe"); is_object(end)) {
    const Fields fields(end);
    return Dropped{std::move(channel), fields.number("code"),
                   fields.text("reason")};
  }
  return Other{};
}

}  // namespace

std::string connect_command(std::uint32_t id, Bytes token) {
  Json parameters = Json::object();
  parameters.set("name", Json::string("paperboy-cli"));
  if (!token.empty()) parameters.set("token", Json::string(token));
  return Json::object()
      .set("id", Json::integer(id))
      .set("connect", std::move(parameters))
      .dump();
}

std::string subscribe_command(std::uint32_t id, const Heard& channel,
                              Bytes token) {
  Json parameters = Json::object();
  parameters.set("channel", Json::string(channel.channel));
  if (!token.empty()) parameters.set("token", Json::string(token));
  return Json::object()
      .set("id", Json::integer(id))
      .set("subscribe", std::move(parameters))
      .dump();
}

std::optional<Event> read_native(Bytes line) {
  // The data of a push may be as deep as any that is published.
  if (!is_json(line, kJsonTextDepth + kJsonTextWrapping)) return std::nullopt;
  line.remove_prefix(line.find_first_not_of(" \t\r\n"));
  if (!is_object(line)) return std::nullopt;
  if (!JsonMembers(line).next()) return Ping{};
  if (const Bytes push = slice(line, "push"); is_object(push)) {
    return read_push(push);
  }
  const std::uint64_t id = Fields(line).number("id");
  if (id == 0) return std::nullopt;
  return read_reply(static_cast<std::uint32_t>(id), line);
}

Bytes explain_error(std::uint64_t code, bool has_token) {
  switch (code) {
    case 101:
      return "--token-file or --token-env gives a token";
    case 103:
      return has_token ? "the token does not permit this channel"
                       : "a token has to permit this channel";
    case 106:
      return "more channels than a connection may have, or more listeners "
             "than the channel may";
    case 107:
      return "such a channel can't be: its name is empty or too long";
    case 109:
      return "make a new one";
    default:
      return {};
  }
}

}  // namespace paperboy::cli
