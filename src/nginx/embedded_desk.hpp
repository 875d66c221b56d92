// A worker's part in the messaging with embedded back ends: it posts what its
// clients ask to the node's callbacks, and takes what back ends push.
//
// What one back end pushes comes to any worker, one message here and the next
// there. So each is taken behind all that was published before it came: else a
// snapshot could be taken by a worker that hasn't heard yet whom it is for.
//
// One a worker, on its event loop.
#pragma once

#include "nginx/ngx.hpp"

#include <string>
#include <vector>

#include "backend/embedded_messaging.hpp"
#include "backend/taker.hpp"
#include "nginx/conf.hpp"
#include "nginx/embedded_zone.hpp"
#include "nginx/network.hpp"

namespace paperboy::nginx {

class Worker;

class EmbeddedDesk {
 public:
  /// Both must outlive this.
  EmbeddedDesk(Worker& worker, const EmbeddedConf& conf);

  [[nodiscard]] hub::BackEnd& back_end() { return messaging_; }

  /// A back end's message. Of several with one `key` one counts. `reply` is
  /// called once, unless the worker ends before.
  void push(std::uint8_t topic, std::string text, std::string key,
            backend::Taker::Reply reply);

  /// After a drain; `all`: nothing waits any more.
  void look(bool all);

  /// Once a second.
  void tick() { messaging_.tick(); }

 private:
  struct Pushed {
    std::uint8_t topic;
    std::string text;
    std::string key;
    backend::Taker::Reply reply;
  };

  void take(const Pushed& pushed);

  Worker& worker_;
  ZoneCallbacks callbacks_;
  NginxNetwork network_;
  backend::Taker taker_;
  backend::EmbeddedMessaging messaging_;
  std::vector<Pushed> pushed_;
  int turns_ = 0;  // for which it has waited
};

}  // namespace paperboy::nginx
