#include "api/broadcast.hpp"

#include "base/json_parameters.hpp"
#include "base/utf8.hpp"

namespace paperboy::api {

namespace {

Error malformed(Bytes why) { return {ErrorCode::bad_request, why}; }

/// Unlike JsonParameters::text, a string there has to be.
bool take_text(JsonParameters& parameters, Bytes name, std::string& out) {
  auto text = json_string(parameters.any(name));
  if (!text || !parameters.good()) return false;
  out = std::move(*text);
  return true;
}

}  // namespace

Result<Broadcast> read_broadcast(Bytes text) {
  if (!is_utf8(text)) return malformed("the body is not UTF-8");
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (!is_json(text) || text[begin] != '{') {
    return malformed("the body is no JSON object");
  }
  JsonParameters parameters(text.substr(begin));
  Broadcast broadcast;
  if (!take_text(parameters, "topic", broadcast.topic)) {
    return malformed("topic is not one string without NUL");
  }
  if (!take_text(parameters, "message", broadcast.message)) {
    return malformed("message is not one string without NUL");
  }
  if (!take_text(parameters, "token", broadcast.token)) {
    return malformed("token is not one string without NUL");
  }
  return broadcast;
}

}  // namespace paperboy::api
