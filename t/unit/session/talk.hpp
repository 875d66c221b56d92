// A conversation in the native dialect over a WebSocket, for tests.
#pragma once

#include <string>

#include "session/fakes.hpp"

namespace paperboy::session {

struct Talk : World {
  Talk() {
    settings.dialect = dialect::find("native");
    settings.client_publish = true;
  }

  void rule(Bytes pattern, const hub::Rule& rule) {
    assert_true(rules.add(pattern, rule));
  }
  void publish(Bytes channel, Bytes data) {
    hub.publish({.channel = channel, .data = data}, [](const auto&) {});
  }
};

/// One that is connected.
struct Talker : Client {
  explicit Talker(World& world, const Admission& admission = {},
                  Bytes subs = {})
      : Client(world) {
    assert_true(open(admission).ok());
    std::string command = R"({"id":1,"connect":{)";
    if (!subs.empty()) command.append(R"("subs":)").append(subs);
    text(command + "}}");
    connected = heard();
    assert_true(Bytes(connected).starts_with(R"(text {"id":1,"connect":{)"));
    const auto id = connected.find(R"("client":")") + 10;
    client = connected.substr(id, 32);
  }

  /// The reply to one command, without its id, and its frame's line.
  std::string ask(Bytes command) {
    text(std::string(R"({"id":2,)").append(command).append("}"));
    std::string reply = heard();
    const Bytes begin = R"(text {"id":2,)";
    assert_true(Bytes(reply).starts_with(begin));
    return reply.substr(begin.size(), reply.size() - begin.size() - 2);
  }

  std::string connected;
  std::string client;  // its id
};

}  // namespace paperboy::session
