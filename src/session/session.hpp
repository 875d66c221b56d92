// One connection's life in its dialect: from a client's messages to the hub,
// and from the hub back. Knows no framing: what it sends leaves by its Outlet.
// Owned by the Outlet's owner, on one worker.
#pragma once

#include <cstdint>
#include <forward_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/slab.hpp"
#include "dialect/dialect.hpp"
#include "hub/subscription.hpp"
#include "session/context.hpp"
#include "session/settings.hpp"

namespace paperboy::session {

/// What the access check found out about who connects, and lets them do.
struct Admission {
  std::string user;                   // empty: nobody in particular
  std::vector<std::string> channels;  // keys, to subscribe to from the start
  std::int64_t expires = 0;           // seconds since 1970; 0: never
  bool may_publish = false;           // to those channels
};

/// The framing around a session.
class Outlet {
 public:
  Outlet() = default;
  Outlet(const Outlet&) = delete;
  Outlet& operator=(const Outlet&) = delete;
  virtual ~Outlet() = default;

  /// Makes publications into what `run` takes.
  [[nodiscard]] virtual Encoder& encoder() = 0;
  virtual void message(const dialect::Message& message) = 0;
  virtual void run(Bytes encoded, std::uint32_t count) = 0;
  /// Begins the end of the connection; nothing is sent any more after it.
  virtual void end(const Close& close) = 0;
};

class Session final : private hub::Subscriber {
 public:
  /// All must outlive the session.
  Session(Context& context, const Settings& settings, Outlet& outlet);
  ~Session() override;

  /// Subscribes to the channels of the admission. On an error nothing is
  /// subscribed, and the connection is to be refused.
  Result<Done> open(const Admission& admission);

  /// One message of the client.
  void receive(const dialect::Message& message);

  /// Leaves all channels. Not from within a fan-out.
  void leave();

  [[nodiscard]] Context& context() const { return context_; }
  [[nodiscard]] const Settings& settings() const { return settings_; }

  /// The channels subscribed to, without their namespace, separated by ", ".
  [[nodiscard]] std::string channels() const;

 private:
  void deliver(const hub::Subscription& to, Bytes run,
               std::uint32_t count) override;
  void gap(const hub::Subscription& at) override;

  Result<Done> subscribe(Bytes channel);
  void publish(const dialect::Publish& command);
  void publish_to(Bytes channel, const dialect::Publish& command);
  void published(const dialect::Publish& command,
                 const Result<Position>& outcome);

  // A broker may answer when the session is gone: its reply holds this.
  using Self = std::shared_ptr<Session*>;
  const Self& self();

  Context& context_;
  const Settings& settings_;
  Outlet& outlet_;
  std::unique_ptr<dialect::State> state_;
  std::forward_list<hub::Subscription, SlabAllocator<hub::Subscription>>
      subscriptions_;
  std::unique_ptr<Self> self_;
  std::uint32_t subscription_count_ = 0;
  bool may_publish_ = false;
};

}  // namespace paperboy::session
