// A server on uWebSockets that does what a location of ours does: subscribe by
// URL, and publish by POST, answered with 204.
//
//   server PORT
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "App.h"

namespace {

struct Subscriber {
  std::string id;
};

void subscribe(uWS::App& app) {
  uWS::App::WebSocketBehavior<Subscriber> behavior;
  behavior.compression = uWS::DISABLED;
  behavior.idleTimeout = 0;
  behavior.maxBackpressure = 64 << 20;  // bytes
  behavior.sendPingsAutomatically = false;
  behavior.upgrade = [](auto* response, auto* request, auto* context) {
    response->template upgrade<Subscriber>(
        {std::string(request->getQuery("id"))},
        request->getHeader("sec-websocket-key"),
        request->getHeader("sec-websocket-protocol"),
        request->getHeader("sec-websocket-extensions"), context);
  };
  behavior.open = [](auto* socket) {
    socket->subscribe(socket->getUserData()->id);
  };
  app.ws<Subscriber>("/sub", std::move(behavior));
}

void publish(uWS::App& app) {
  app.post("/pub", [&app](auto* response, auto* request) {
    auto id = std::make_shared<std::string>(request->getQuery("id"));
    auto body = std::make_shared<std::string>();
    response->onAborted([] {});
    response->onData(
        [&app, response, id, body](std::string_view part, bool is_last) {
          *body += part;
          if (!is_last) return;
          app.publish(*id, *body, uWS::OpCode::TEXT);
          response->writeStatus("204 No Content")->endWithoutBody(0);
        });
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  uWS::App app;
  subscribe(app);
  publish(app);
  bool listens = false;
  app.listen("127.0.0.1", std::atoi(argv[1]),
             [&listens](auto* socket) { listens = socket != nullptr; });
  if (!listens) return 1;
  app.run();
}
