// One connection's life in its dialect: from a client's messages to the hub,
// and from the hub back. Knows no framing: what it sends leaves by its Outlet,
// which the framing around it derives from it (Link). On one worker.
#pragma once

#include <cstdint>
#include <forward_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "auth/jwt.hpp"
#include "auth/revocations.hpp"
#include "base/slab.hpp"
#include "dialect/dialect.hpp"
#include "hub/departure.hpp"
#include "hub/order.hpp"
#include "hub/recovery.hpp"
#include "hub/subscription.hpp"
#include "session/papers.hpp"
#include "session/site.hpp"
#include "session/warden.hpp"

namespace paperboy::session {

/// What the access check found out about who connects, and lets them do.
struct Admission {
  std::string user;                   // empty: nobody in particular
  std::string info;                   // JSON, for others to see; empty: none
  std::vector<std::string> channels;  // keys, to subscribe to from the start
  /// Where it was in them, in their order; epoch 0, or none: nowhere.
  std::vector<Position> since;
  std::int64_t expires = 0;  // seconds since 1970; 0: never
  bool may_publish = false;  // to those channels
  bool by_token = false;     // a token of the request says so
  auth::TokenMark mark;      // of that token
  auth::Allowance limits{};  // of tokens and of a back end

  // For conversations.
  std::string csrf_user{};  // for whom its messages' tokens are made
  std::string name_space;
  bool admitted = true;  // false: only a token in the connect command can
  std::optional<auth::Grants> grants;  // of a token; none: there was none
  std::vector<auth::ServerSubscription> subscriptions;  // of that token
  std::optional<Ruling> ruling{};
  std::uint64_t fingerprint = 0;  // of 40 bits, by which one that comes back is
                                  // known; 0: none
};

class Conversation;

/// The framing around a session. A base of it, as is what the hub knows it by:
/// so neither has to keep where the other is.
class Outlet : public hub::Subscriber {
 public:
  /// Makes publications into what `run` takes. `events`: also who comes and
  /// goes.
  [[nodiscard]] virtual Encoder& encoder(bool events) = 0;
  virtual void message(const dialect::Message& message) = 0;
  virtual void run(const hub::Subscription& from, Bytes encoded,
                   std::uint32_t count) = 0;
  /// The same of bytes that live for the call.
  virtual void copied(const hub::Subscription& from, Bytes encoded,
                      std::uint32_t count) = 0;
  /// It has all up to `position`, and is sent what comes after that.
  virtual void begins(const hub::Subscription&, const Position&) {}
  /// Whether it tells its client that.
  [[nodiscard]] virtual bool tells_beginning() const { return false; }
  /// Publications were lost to it, and what comes next is behind the hole.
  virtual void tell_gap(const hub::Subscription& at) = 0;
  /// Begins the end of the connection; nothing is sent any more after it.
  virtual void end(const Close& close) = 0;

  /// Who it is, and until when: seconds since 1970; 0: forever. With the first
  /// call, before it is connected, heartbeats begin. False: there are as many
  /// of this user as may be.
  [[nodiscard]] virtual bool admitted(Bytes user, std::int64_t expires) = 0;
  [[nodiscard]] virtual Bytes user() const = 0;
  /// By which token. Call it after `admitted`, which leaves it as it was.
  virtual void marked(const auth::TokenMark&) {}
  /// That token, too, says how much `user` may, in place of what another said.
  /// False: there are more connections of its user than it allows.
  [[nodiscard]] virtual bool limited(const auth::Allowance&, Bytes) {
    return true;
  }
  [[nodiscard]] virtual auth::TokenMark mark() const { return {}; }
  /// What Session::due_in says has changed.
  virtual void rearm() = 0;
  /// A command of the client's was refused, and it may not be told so.
  virtual void refused(const Error& why) = 0;
  /// Something that the operator may want to know.
  virtual void note(Bytes what) = 0;
  /// What limits its client; null: nothing does.
  [[nodiscard]] virtual Warden* warden() { return nullptr; }
};

class Session : public Outlet {
 public:
  /// Must outlive the session.
  explicit Session(const Site& site);
  ~Session() override;

  /// Subscribes to the channels of the admission. On an error nothing is
  /// subscribed, and the connection is to be refused.
  Result<Done> open(const Admission& admission);

  /// One message of the client.
  void receive(const dialect::Message& message);

  /// Does what a back end orders, where it is meant. Not from within a
  /// fan-out.
  void obey(const hub::Order& order);

  /// Something was revoked: ends what a token opened that is. Not from within a
  /// fan-out.
  void recheck();

  /// Leaves all channels. Not from within a fan-out.
  void leave();

  /// What is to be noted where its client ends now and didn't mean to; null:
  /// nothing. From within a fan-out, too.
  [[nodiscard]] std::unique_ptr<hub::Departure> departure() const;
  /// Notes it, for when the client comes back.
  void depart(const hub::Departure& departure);

  /// It is in: the location's hook, if any, is told so, and of all that follows
  /// in its channels.
  void announce();
  /// It has left all channels, for this reason: the last that is told.
  void part(const Close& why);

  /// What a fan-out couldn't do, after it.
  void settle();

  /// False until a conversation has begun.
  [[nodiscard]] bool connected() const;

  /// Milliseconds until `on_time` has something to do; none: nothing.
  [[nodiscard]] std::optional<std::uint64_t> due_in() const;
  void on_time();

  [[nodiscard]] const Site& site() const { return site_; }
  [[nodiscard]] Context& context() const { return site_.context; }
  [[nodiscard]] const Settings& settings() const { return site_.settings; }

  /// Of its channels; of plain dialects not all know it.
  [[nodiscard]] Bytes name_space() const;

  /// The channels subscribed to, without their namespace, separated by ", ".
  [[nodiscard]] std::string channels() const;
  [[nodiscard]] Bytes user() const override {
    return papers_ ? Bytes(papers_->user) : Bytes();
  }
  [[nodiscard]] auth::TokenMark mark() const override {
    return papers_ ? papers_->mark : auth::TokenMark{};
  }

 protected:
  /// Seconds since 1970; 0: never.
  [[nodiscard]] std::int64_t expires() const {
    return papers_ ? papers_->expires : 0;
  }
  /// Null: there is nothing in them.
  [[nodiscard]] Papers* papers() const { return papers_.get(); }
  Papers& need_papers();
  /// Something was taken out of them.
  void tidy_papers();
  /// `user` may be the one that it is already.
  void set_who(Bytes user, std::int64_t expires, const auth::TokenMark& mark);

 private:
  [[nodiscard]] hub::Hub& hub() const override;
  void deliver(const hub::Subscription& to, Bytes run,
               std::uint32_t count) override;
  void gap(const hub::Subscription& at) override;

  friend class Conversation;

  /// What a conversation has to remember of every client.
  struct Talk {
    std::uint64_t number : 56 = 0;  // of its id; one word with what follows
    bool let_in : 1 = false;        // nothing more is asked of it in time
    bool server_side : 1 = false;   // it has subscriptions that it didn't ask
                                    // for
    bool known : 1 = false;         // to back ends, by its id
  };

  /// None: in its dialect nobody converses.
  [[nodiscard]] std::optional<Conversation> conversation();
  [[nodiscard]] std::optional<const Conversation> conversation() const;

  [[nodiscard]] Result<Done> may_subscribe_more();
  Result<hub::Subscription*> subscribe(Bytes channel, const Member& member,
                                       bool events = false);
  Result<Done> enter(const Admission& admission, const std::string& channel,
                     const Position& since);
  void unsubscribe(const hub::Subscription& subscription);
  bool leave_revoked(const auth::Revocations& revoked,
                     const auth::TokenMark& token);
  [[nodiscard]] std::size_t subscription_count() const;
  /// By its key; null: it isn't subscribed to.
  hub::Subscription* find(Bytes channel);
  /// Those to `channel`; to all, where it is empty.
  [[nodiscard]] std::vector<const hub::Subscription*> subscriptions_to(
      Bytes channel) const;
  void tell(Hook::Event event, Bytes channel, const Close& why) const;
  void name_itself();
  /// None: it is in a plain dialect, and no hook is told of it.
  [[nodiscard]] std::optional<ClientId> own_id() const;
  [[nodiscard]] bool is_for_it(const hub::Order& order) const;
  void leave(Bytes channel);
  void end_over(const Close& why);
  [[nodiscard]] bool unwrap(const dialect::Message& message, std::string& rest);
  void obey(const dialect::Message& message);
  void publish(const dialect::Publish& command);
  [[nodiscard]] Result<Done> may_publish(Bytes channel) const;
  void publish_to(Bytes channel, const dialect::Publish& command);
  void get_back(const hub::Subscription& subscription,
                const hub::Recovery& recovery);
  void go_on(const hub::Subscription& subscription,
             const hub::Recovery& recovery);
  void published(const dialect::Publish& command,
                 const Result<Position>& outcome);

  /// A broker may answer when the session is gone: its reply holds this.
  std::shared_ptr<Session*> self();

  const Site& site_;
  Talk talk_;
  std::forward_list<hub::Subscription, SlabAllocator<hub::Subscription>>
      subscriptions_;
  std::unique_ptr<Papers> papers_;  // null: nothing of the kind

 protected:
  // Its framing's; in one word with what follows.
  std::uint64_t messages_sent_ : 48 = 0;

 private:
  bool may_publish_ : 1 = false;
  bool by_token_ : 1 = false;
  bool converses_ : 1 = false;
  bool told_ : 1 = false;    // a hook knows it
  bool awaits_ : 1 = false;  // replies hold it
};

}  // namespace paperboy::session
