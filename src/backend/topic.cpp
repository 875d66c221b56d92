#include "backend/topic.hpp"

#include <algorithm>

#include "base/json_parameters.hpp"
#include "base/json_text.hpp"
#include "base/utf8.hpp"
#include "hub/notice.hpp"

namespace paperboy::backend {

namespace {

constexpr std::size_t kDepth = kJsonTextDepth + kJsonTextWrapping;

Error malformed(Bytes why) { return {ErrorCode::bad_request, why}; }

bool is_object(Bytes json) {
  const std::size_t begin = json.find_first_not_of(" \t\n\r");
  return begin != Bytes::npos && json[begin] == '{';
}

/// A string, or an integer as it stands.
std::string read_user(JsonParameters& parameters) {
  const Bytes value = parameters.raw("userId");
  const bool integer =
      !value.empty() && value.find_first_not_of("-0123456789") == Bytes::npos;
  return integer ? std::string(value) : parameters.text("userId");
}

/// Empty, or what is missing.
Bytes missing(Topic topic, const Body& body) {
  switch (topic) {
    case Topic::authorized:
      if (body.client.empty()) return "it has no wsId";
      return body.user.empty() ? "it has no userId" : Bytes();
    case Topic::close:
      if (body.user.empty()) return "it has no userId";
      return body.channel.empty() ? "it has no channel" : Bytes();
    case Topic::message:
      if (!body.user.empty() || !body.channel.empty()) return {};
      return "it has neither a userId nor a channel";
  }
  return {};
}

}  // namespace

std::optional<Topic> topic_of(Bytes name) {
  const auto found = std::ranges::find(kTopics, name);
  if (found == kTopics.end()) return {};
  return static_cast<Topic>(found - kTopics.begin());
}

Result<Body> read_body(Topic topic, Bytes text) {
  if (!is_utf8(text)) return malformed("it is not UTF-8");
  if (!is_json(text, kDepth)) return malformed("it is no JSON");
  if (!is_object(text)) return malformed("it is no JSON object");
  JsonParameters parameters(text);
  Body body{.client = {},
            .user = read_user(parameters),
            .channel = parameters.text("channel")};
  if (topic == Topic::authorized) body.client = parameters.text("wsId");
  if (topic == Topic::message) body.payload = parameters.any("payload");
  if (!parameters.good()) {
    return malformed(
        "wsId, userId, channel or payload stands there twice, or isn't of its "
        "type");
  }
  if (body.user.size() > hub::kMaxUser) {
    return malformed("its userId is longer than 512 bytes");
  }
  const Bytes lack = missing(topic, body);
  if (!lack.empty()) return malformed(lack);
  return body;
}

bool is_timed(Bytes text) {
  return !JsonParameters(text).raw("timestamp").empty();
}

std::string request_body(Bytes client, Bytes token) {
  std::string body = R"({"wsId":)";
  append_json_string(body, client);
  body += R"(,"token":)";
  append_json_string(body, token);
  return body += '}';
}

}  // namespace paperboy::backend
