// A session in which the client speaks first: it connects, with a token or
// without, and then subscribes, publishes, asks and renews as it likes. Where
// the dialect knows no command to connect, it is connected at once, and let in
// by each subscription's token. What the commands look like is the dialect's;
// what they may is decided here.
//
// No object beside its session, but a view of it, made for a call: what it has
// to remember are a word of the session (Talk) and its Papers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hub/back_end.hpp"
#include "hub/notice.hpp"
#include "session/client_id.hpp"
#include "session/liaison.hpp"
#include "session/returning.hpp"
#include "session/session.hpp"

namespace paperboy::session {

class Conversation final {
 public:
  /// Of one that converses. `session` must outlive this.
  explicit Conversation(Session& session) : session_(session) {}

  /// Once, before all else.
  void open(const Admission& admission);

  void receive(const dialect::Message& message);

  /// What a back end orders of it.
  void obey(const hub::Order& order);

  /// Ends what a token opened that is revoked.
  void recheck();

  // What a back end of the classic protocol tells; see Liaisons.
  void obey_authorized(const hub::Notice& notice);
  void obey_closed(const hub::Notice& notice);
  void take_copy(const hub::Notice& copy);
  /// Whether its time is over: no copy is for it any more.
  bool grow_up(std::uint64_t now_ms);
  /// The one behind who is subscribed to a user's channel.
  static Conversation of(hub::Subscriber& subscriber) {
    return Conversation(static_cast<Session&>(subscriber));
  }
  [[nodiscard]] static ClientId id_of(const Session& session) {
    return session.context().ids.of(session.talk_.number);
  }
  [[nodiscard]] ClientId id() const { return id_of(session_); }

  /// It is no back end's any more, and hears nothing of its user's.
  void leave();

  // Of a client that can't say where it was; see conversation_return.cpp.

  /// What is to be noted as its connection ends; null: nothing.
  [[nodiscard]] std::unique_ptr<hub::Departure> departure() const;
  void depart(hub::Departure departure);
  /// It is sent away: nothing is.
  void stay_away();
  /// Gives up what takes too long; false: there is nothing more to look at.
  bool look_at_returns();

  [[nodiscard]] Bytes name_space() const {
    return names() != nullptr ? Bytes(names()->space) : Bytes();
  }
  [[nodiscard]] std::string client() const { return client_text(id()); }

  /// A hole in a channel: the client is told to subscribe again, and the
  /// subscription is over at the next `settle`. False: the connection has to
  /// end, since a subscription of the server's can't be renewed by itself, or
  /// the dialect has no word for it.
  bool lose(const hub::Subscription& at);
  [[nodiscard]] bool has_lost(const hub::Subscription& at) const;
  void settle();

  [[nodiscard]] bool connected() const { return !rare() || !rare()->pending; }
  [[nodiscard]] std::optional<std::uint64_t> due_in() const;
  void on_time();

 private:
  using End = std::optional<Close>;  // of the connection

  // The client is to subscribe again, with another token.
  static constexpr std::uint16_t kSubscriptionExpired = 2501;

  /// Of a subscription that ends with a token of its own.
  struct Lease {
    const hub::Subscription* at;
    std::int64_t expires;    // seconds since 1970; 0: never
    auth::TokenMark mark{};  // not known: it is the connection's token
    std::uint64_t user = 0;  // of that token; see Revocations::number
  };
  using Leases = std::vector<Lease>;

  /// A connect that waits until it is known where all begin.
  struct Connecting {
    std::uint64_t id = 0;
    std::int64_t expires = 0;
    std::vector<dialect::ServerSubscription> told;
    std::vector<const hub::Subscription*> of;       // what `told` is about
    std::vector<const hub::Subscription*> awaited;  // it isn't known where
    bool begun = false;                             // all are subscribed
    bool failed = false;                            // it can't be known now
  };

  /// A command that a back end has yet to decide on.
  struct Judged {
    std::uint64_t number;
    std::optional<dialect::Subscribe> subscribe;
    dialect::Publish publish;  // otherwise; its data is the one below
    std::string data;
    std::optional<Judge::Verdict> verdict{};
  };

  /// What few connections have, or for a short time.
  struct Rare final : Papers::Extra {
    std::unique_ptr<Admission> pending;  // until it is connected
    std::uint32_t connect_by = 0;  // until it is let in: monotonic, in ticks
    Leases leases;
    std::int64_t hears_until = 0;  // its user's; 0: as long as it is there
    std::vector<const hub::Subscription*> lost;
    /// Commands to subscribe that have yet to be answered, by their ids.
    std::vector<std::pair<const hub::Subscription*, std::uint64_t>> asked;
    std::unique_ptr<Connecting> connecting;
    std::vector<Returning> returning;
    std::vector<Judged> judged;
    std::size_t long_answers = 0;  // bytes, since the socket was last tried
    std::uint64_t bad_since = 0;   // monotonic ms
    std::uint32_t bad_tokens = 0;  // since then
  };

  // What a channel or connection token of a command says.
  using Checked = Result<auth::Token, auth::TokenError>;

  /// What lets it into a channel.
  struct Entry {
    std::int64_t expires = 0;  // seconds since 1970; 0: never
    std::string info;          // of its channel token
    auth::TokenMark mark{};    // of that token

    // Where it doesn't connect.
    std::string channel;
    std::string user;  // empty: the token names none
    bool by_back_end = false;
    auth::Allowance limits{};  // of its token
  };

  struct Gathering;

  End obey_all(const dialect::Message& message, std::string& replies);
  End take(const dialect::Decoded& command);
  bool is_limited(const dialect::Decoded& command, End& end);
  End obey(const dialect::Connect& command);
  End obey(const dialect::Subscribe& command);
  End obey(const dialect::Unsubscribe& command);
  End obey(const dialect::Publish& command);
  End obey(const dialect::Refresh& command);
  End obey(const dialect::SubRefresh& command);
  End obey(const dialect::History& command);
  End obey(const dialect::Presence& command);
  End obey(const dialect::PresenceStats& command);
  End obey(const dialect::Ping& command);
  End obey(const dialect::Refused& command);
  End obey(const dialect::Send& command);
  template <typename Other>
  End obey(const Other&);

  End show_token(const dialect::Connect& command);
  End begin(const dialect::Connect& command);
  End join_all(const dialect::Connect& command, const Admission& admission);
  [[nodiscard]] bool may_join(const std::string& key) const;
  End join(const dialect::Connect& command, const std::string& key, Bytes data);
  void await(hub::Subscription& subscription, Bytes data,
             const std::optional<Position>& since);
  void arrived(const hub::Subscription& subscription, bool back,
               const Result<hub::Recovery>& recovery);
  End conclude();
  void leave_connecting(const hub::Subscription& subscription);
  [[nodiscard]] bool is_connecting(const hub::Subscription& subscription) const;

  void return_to(hub::Subscription& subscription,
                 const dialect::Subscribe& command, std::int64_t expires);
  void lose_way(const hub::Subscription& subscription, const Error& error);
  void recover(hub::Subscription& subscription,
               const std::optional<Position>& since,
               const hub::RecoveryReply& reply);
  [[nodiscard]] bool is_asked(const hub::Subscription& subscription) const;
  std::optional<std::uint64_t> take_asked(
      const hub::Subscription& subscription);

  void enter(const hub::Order& order);
  void entered(const hub::Subscription& subscription, Bytes data,
               const hub::Recovery& recovery);

  End subscribe(const dialect::Subscribe& command, bool decided);
  End publish(const dialect::Publish& command, bool decided);
  [[nodiscard]] bool is_judged(Judge::Matter matter) const;
  End await_verdict(const dialect::Subscribe& command);
  End await_verdict(const dialect::Publish& command);
  End await_verdict(Judged one);
  [[nodiscard]] const Judged* judged(Bytes channel) const;
  void withdraw(Bytes channel);
  void take(std::uint64_t number, Judge::Verdict verdict);
  void publish_judged();
  End conclude(const Judged& one);

  Result<Entry> check_channel(const std::string& name,
                              const std::string& token) const;
  End enter_by_token(const dialect::Subscribe& command);
  End join_channel(std::uint64_t id, const Entry& entry);
  Result<Entry> check_entry(const dialect::Subscribe& command) const;
  Result<hub::Subscription*> subscribe_to(const std::string& channel,
                                          const Entry& entry);
  bool narrow(const Entry& entry);
  void let_in(Bytes user);
  void keep_token(const hub::Subscription& subscription, const Entry& entry);

  Liaison& need_liaison();
  Liaison::Recent& recent();
  Liaison::Recent& lately();
  void end_recent();
  Result<hub::BackEnd*> may_ask(const std::string& token);
  End ask_back_end(const dialect::Subscribe& command);
  void notify_back_end(const dialect::Subscribe& command);
  Result<Done> hear_user(Bytes user);
  void hear_for(const Entry& entry);
  void stop_hearing();
  void leave_with_user(const std::string& channel);
  void obey_channel(const hub::Notice& notice);
  void note_young(const hub::Subscription& subscription,
                  const Position& joined);
  void joined(const hub::Subscription& subscription, const Position& at);
  void hand_copy(const Liaison::Young& young, const hub::Notice& copy);

  [[nodiscard]] std::uint64_t fingerprint() const;
  [[nodiscard]] bool may_return() const;
  void give_back(const hub::Departure::Place& place);
  [[nodiscard]] const Returning* returning(const hub::Subscription& at) const;
  Returning* returning(std::uint64_t number);
  bool look_back(hub::Subscription& subscription, std::uint64_t id,
                 std::int64_t expires);
  void look(std::uint64_t number);
  void claim(std::uint64_t number);
  void claimed(std::uint64_t number, const Result<hub::Published>& taken,
               const hub::Departure::Place& place);
  using PageTaker =
      std::function<void(Conversation&, Returning&, const HistoryPage&)>;
  void ask_back(std::uint64_t number, const HistoryQuery& query,
                const PageTaker& take);
  void count_back(std::uint64_t number);
  void count_further(std::uint64_t number);
  void go_on_from(std::uint64_t number, const std::optional<Position>& since);
  void came_back(std::uint64_t number, const Result<hub::Recovery>& recovery);

  [[nodiscard]] bool connects() const {
    return session_.settings().dialect->connects();
  }
  [[nodiscard]] bool granted(auth::Scope scope, Bytes name) const;
  [[nodiscard]] bool is_open() const;
  Result<Done> may_publish(Bytes name) const;
  Result<std::string> may_read(auth::Scope scope, const std::string& name);
  [[nodiscard]] Checked check(const std::string& token) const;
  [[nodiscard]] Checked verify(const std::string& token) const;
  [[nodiscard]] auth::TokenMark mark_of(const auth::Token& token) const;
  [[nodiscard]] bool is_revoked(Bytes user, const auth::TokenMark& token,
                                Bytes key = {}) const;
  [[nodiscard]] End end_of(const hub::Subscription& subscription) const;
  /// From the connection's token.
  [[nodiscard]] bool is_taken(Bytes channel) const;
  [[nodiscard]] std::uint64_t number(Bytes text) const;
  [[nodiscard]] Result<std::string> key(Bytes name) const;
  [[nodiscard]] std::int64_t end_of(const auth::Token& token) const;
  [[nodiscard]] std::int64_t time_left(std::int64_t expires) const;
  [[nodiscard]] Member member(Bytes client, Bytes chan_info) const;
  [[nodiscard]] const hub::Rule& rule(Bytes key) const;
  void lease(const hub::Subscription& subscription, const Entry& entry);
  void drop(const hub::Subscription& subscription, std::uint16_t code,
            Bytes reason);
  void forget(const hub::Subscription& subscription);
  /// Null: nothing of the kind.
  [[nodiscard]] Rare* rare() const;
  Rare& need_rare();
  /// Null: none.
  [[nodiscard]] const Papers::Names* names() const {
    return session_.papers_ ? session_.papers_->names.get() : nullptr;
  }
  Papers::Names& need_names();
  void set_info(const std::string& info);
  /// Null: no token.
  [[nodiscard]] const auth::Grants* grants() const {
    return session_.papers_ ? session_.papers_->grants.get() : nullptr;
  }
  void set_grants(const auth::Grants& grants);
  /// Of a back end; null: of none.
  [[nodiscard]] Liaison* liaison() const {
    return session_.papers_ ? session_.papers_->liaison.get() : nullptr;
  }
  void tidy();
  void reply(const dialect::Outcome& outcome);
  [[nodiscard]] std::size_t room() const;
  void reply_bounded(std::uint64_t id, const dialect::Outcome& outcome);
  End fail(std::uint64_t id, ErrorCode code) { return fail(id, {code, {}}); }
  End fail(std::uint64_t id, const Error& error);
  End fail_renewal(std::uint64_t id, ErrorCode code);
  End note_bad_token();
  template <typename Answer>
  [[nodiscard]] auto later(std::uint64_t id, Answer answer);

  [[nodiscard]] Session::Talk& talk() { return session_.talk_; }
  [[nodiscard]] const Session::Talk& talk() const { return session_.talk_; }

  Session& session_;
};

}  // namespace paperboy::session
