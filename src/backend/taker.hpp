// Takes what back ends say, and makes publications and notices of it: a message
// is published in its channel, or in the one of its user; who is authorised and
// who has to leave is told to all workers of the node. One a worker, on its
// event loop.
//
// Several workers, of several nodes, may take the same, with the same key: it
// takes effect once.
//
// A session is let in by its worker a moment after the notice; what is
// published meanwhile would pass it by, such as the snapshot that an
// application sends as soon as it has authorised somebody. So for some seconds
// the notices carry copies of it, for those whose subscription begins behind
// it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "backend/complaints.hpp"
#include "backend/topic.hpp"
#include "base/counters.hpp"
#include "hub/hub.hpp"
#include "hub/notice.hpp"

namespace paperboy::backend {

class Taker {
 public:
  /// All must outlive this. `name_space`: of the channels that are meant.
  Taker(hub::Hub& hub, const Clock& clock, Counters& counters,
        std::string name_space, Complaints::Log log);
  ~Taker() { *self_ = nullptr; }
  Taker(const Taker&) = delete;
  Taker& operator=(const Taker&) = delete;

  /// Called once, now or later. Errors: bad_request, and those of publishing.
  using Reply = std::function<void(const Result<Done>&)>;

  /// A message of a topic. Of several with one `key` one counts; empty: each
  /// does. What is malformed is told and counted.
  void take(
      Topic topic, Bytes text, Bytes key,
      const Reply& reply = [](const auto&) {});

  /// What another worker has taken, in its place among the notices: needed
  /// where a back end's messages come to several workers.
  void hear(const hub::Notice& notice);

  [[nodiscard]] const std::string& name_space() const { return name_space_; }

 private:
  void authorize(Body&& body, Bytes key, const Reply& reply);
  void close(Body&& body, Bytes key, const Reply& reply);
  void publish(const Body& body, Bytes text, Bytes key, const Reply& reply);
  void tell(const hub::Notice& notice, Bytes key, const Reply& reply);
  void tell_copy(const hub::Notice& copy, Bytes key);
  void note_young(const std::string& channel);
  [[nodiscard]] bool is_young(const std::string& channel) const;
  void refuse(Topic topic, Bytes why, const Reply& reply);
  void note_done(const Result<hub::Published>& outcome);

  hub::Hub& hub_;
  const Clock& clock_;
  Counters& counters_;
  const std::string name_space_;
  Complaints complaints_;
  // Channels into which somebody was let lately: keys, and until when.
  std::unordered_map<std::string, std::uint64_t> young_;
  std::uint64_t swept_at_ = 0;  // monotonic ms

  // A broker may answer when this is gone.
  std::shared_ptr<Taker*> self_ = std::make_shared<Taker*>(this);
};

}  // namespace paperboy::backend
