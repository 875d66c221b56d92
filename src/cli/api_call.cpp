#include "cli/api_call.hpp"

#include <algorithm>
#include <utility>

#include "cli/input.hpp"
#include "cli/words.hpp"

namespace paperboy::cli {

Outcome<ApiCall> read_call(const Arguments& arguments, Bytes method,
                           Json parameters) {
  auto server = read_server(arguments);
  if (!server) return server.error();
  auto key = read_key(arguments);
  if (!key) return key.error();
  Json command = Json::object();
  command.set("method", Json::string(method));
  command.set("params", std::move(parameters));
  ApiCall call{std::move(*server), key->value_or(std::string()),
               command.dump()};
  const auto visible = [](char c) { return c > ' ' && c <= '~'; };
  if (!std::ranges::all_of(call.key, visible)) {
    return misused("the key is not of visible ASCII characters");
  }
  return call;
}

Outcome<Json> ask(const ApiCall& call) {
  Headers more;
  if (!call.key.empty()) more.emplace_back("X-API-Key", call.key);
  const auto answer = post(call.server, "application/json", call.body, more);
  if (!answer) return answer.error();
  if (answer->head.status != 200) {
    return refusal(call.server, answer->head, answer->body);
  }
  const auto json = Json::parse(answer->body);
  if (json && json->get("result")) return json->get("result");
  const Bytes why = json ? json->get("error").get("message").as_string()
                         : Bytes("the answer is none of the API");
  return Failure{Exit::refused, "refused: " + printable(why)};
}

}  // namespace paperboy::cli
