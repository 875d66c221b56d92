//   body  = parameters                        of the method in the URL
//         | {"commands": [ {method: parameters} ], "parallel": ...}   batch
//         | {"method": ..., "params": parameters} *                   the old
//
// As with native commands the text is checked once, strictly, and then cut.
#include "api/request.hpp"

#include "api/read.hpp"
#include "base/json_text.hpp"
#include "base/utf8.hpp"

namespace paperboy::api {

namespace {

constexpr Bytes kBatch = "batch";
constexpr Bytes kBlank = " \t\r\n";

Malformed wrong(Bytes method, Bytes parameter) {
  std::string why("of ");
  why.append(method.empty() ? Bytes("the command") : method);
  why.append(", \"").append(parameter).append("\" is of the wrong type, ");
  return {why.append("or stands twice")};
}

/// An object; no bytes at all stand for an empty one.
Result<Bytes, Malformed> object_of(Bytes text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size()));
  if (text.empty()) return Bytes("{}");
  if (!text.starts_with('{')) return Malformed{"the body is no JSON object"};
  return text;
}

Result<Call, Malformed> read_call(Bytes method, Bytes parameters) {
  Call call{.method = known_method(method)};
  if (call.method.empty()) {
    call.command = Refused{ErrorCode::no_method};
    return call;
  }
  JsonParameters members(parameters);
  call.command = read_command(call.method, members);
  if (!members.good()) return wrong(method, members.wrong());
  return call;
}

/// One of a batch: of several methods in one command the first counts.
Result<Call, Malformed> read_command_of_batch(Bytes text) {
  if (!text.starts_with('{')) return Malformed{"a command is no JSON object"};
  for (JsonMembers member(text); member.next();) {
    if (member.value() == "null") continue;
    const auto name = json_name(member);
    if (!name || known_method(*name).empty()) continue;
    if (!member.value().starts_with('{')) {
      return Malformed{"the parameters of a command are no JSON object"};
    }
    return read_call(*name, member.value());
  }
  return Call{.command = Refused{ErrorCode::no_method}};
}

Result<Request, Malformed> read_batch(Bytes text) {
  JsonParameters members(text);
  Request request{.form = Request::Form::batch, .calls = {}};
  request.parallel = members.flag("parallel");
  const Bytes commands = members.raw("commands");
  if (!commands.empty() && !commands.starts_with('[')) {
    members.spoil("commands");
  }
  if (!members.good()) return wrong(kBatch, members.wrong());
  if (commands.empty()) return request;
  for (JsonElements element(commands); element.next();) {
    auto call = read_command_of_batch(element.value());
    if (!call) return call.error();
    request.calls.push_back(std::move(*call));
  }
  return request;
}

/// There wrong parameters are the command's error, not the request's.
Result<Call, Malformed> read_line(Bytes text) {
  JsonParameters members(text);
  const std::uint64_t id = members.number("id");
  const std::string method = members.text("method");
  const Bytes parameters = members.raw("params");
  if (id > UINT32_MAX) members.spoil("id");
  if (!members.good()) return wrong({}, members.wrong());
  Call call{.command = Refused{ErrorCode::bad_request}};
  if (parameters.empty() || parameters.starts_with('{')) {
    auto read = read_call(method, parameters.empty() ? "{}" : parameters);
    if (read) call = std::move(*read);
  }
  call.id = static_cast<std::uint32_t>(id);
  return call;
}

Result<Request, Malformed> read_lines(Bytes body) {
  Request request{.form = Request::Form::lines, .calls = {}};
  JsonTexts texts(body);
  while (texts.next()) {
    if (!texts.value().starts_with('{')) {
      return Malformed{"a command is no JSON object"};
    }
    auto call = read_line(texts.value());
    if (!call) return call.error();
    request.calls.push_back(std::move(*call));
  }
  if (!texts.good() || request.calls.empty()) {
    return Malformed{"the body is not JSON, or nested too deep"};
  }
  return request;
}

}  // namespace

std::size_t Request::weight() const {
  std::size_t weight = 0;
  for (const Call& call : calls) {
    const auto* const publish = std::get_if<Publish>(&call.command);
    weight += publish != nullptr ? publish->channels.size() : 1;
  }
  return weight;
}

bool is_method(Bytes name) {
  return name == kBatch || !known_method(name).empty();
}

Result<Request, Malformed> read_request(Bytes method, Bytes body) {
  if (!is_utf8(body)) return Malformed{"the body is not UTF-8"};
  if (method.empty()) return read_lines(body);
  const auto object = object_of(body);
  if (!object) return object.error();
  if (!is_json(*object, kJsonTextDepth + kJsonTextWrapping)) {
    return Malformed{"the body is not JSON, or nested too deep"};
  }
  if (method == kBatch) return read_batch(*object);
  auto call = read_call(method, *object);
  if (!call) return call.error();
  Request request{.form = Request::Form::method, .calls = {}};
  request.calls.push_back(std::move(*call));
  return request;
}

}  // namespace paperboy::api
