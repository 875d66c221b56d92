// The sessions of a worker that back ends of the classic protocol speak of: by
// the id under which one asked to be authorised, and by their users, whose
// channels they are in. Obeys the notices that come for them. One a worker, on
// its event loop; outlives the sessions.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <unordered_set>
#include <utility>

#include "base/clock.hpp"
#include "base/table.hpp"
#include "hub/back_end.hpp"
#include "hub/ear.hpp"
#include "hub/notice.hpp"
#include "session/client_id.hpp"
#include "session/liaison.hpp"

namespace paperboy::session {

class Liaisons {
 public:
  /// Both must outlive this.
  Liaisons(hub::Hub& hub, const Clock& clock)
      : hub_(hub),
        clock_(clock),
        ear_(hub, std::string(hub::kNotices), hub::is_urgent) {}

  /// Null: there is none to ask. It must outlive the sessions.
  void set_back_end(hub::BackEnd* back_end) { back_end_ = back_end; }
  [[nodiscard]] hub::BackEnd* back_end() const { return back_end_; }

  /// Notices reach this worker from now on. Does nothing where they do.
  Result<Done> listen() { return ear_.listen(); }
  /// Whether some were lost since it was asked: this worker was too slow.
  bool lost() { return ear_.lost(); }

  /// `hears`: each notice, before it is obeyed. None by default.
  void set_listener(std::function<void(const hub::Notice&)> hears) {
    hears_ = std::move(hears);
  }

  /// After a drain: is there anything to obey?
  void look();

  /// Once a second: who was let in, or asked, a while ago has nothing recent
  /// any more, and who looks for where it was doesn't do so for long.
  void tick();

  /// To all workers of the node, this one too.
  void tell(const hub::Notice& notice);

  // Of sessions; each is forgotten before it ends.

  /// It is known by its id from now on. REQUIRES: it isn't yet.
  void note_id(Session& session);
  void forget_id(Session& session);

  /// It has asked, or was let in: copies are for it, for a while.
  void note_recent(Session& session, Liaison& liaison);
  void forget_recent(const Liaison::Recent& recent);

  /// It looks for where it was, and is asked from time to time whether that
  /// takes too long.
  void note_returning(Session& session);
  void forget_returning(Session& session);

  /// Of one look for where a client was, alone.
  [[nodiscard]] std::uint64_t new_look() { return ++looks_; }

  /// For how long copies come.
  static constexpr std::uint64_t kRecentMs = 10'000;

 private:
  struct ById {
    static ClientId key(const Session* session);
    static std::uint64_t number(const ClientId& id) { return id[0]; }
  };

  void obey(const hub::Notice& notice);
  void obey_closed(const hub::Notice& notice);
  void hand_copy(const hub::Notice& notice);

  hub::Hub& hub_;
  const Clock& clock_;
  hub::Ear ear_;
  hub::BackEnd* back_end_ = nullptr;
  std::function<void(const hub::Notice&)> hears_;
  Table<Session*, ById> known_;
  std::list<Session*> recent_;  // in the order of their time
  std::unordered_set<Session*> returning_;
  std::uint64_t looks_ = 0;  // ever
};

}  // namespace paperboy::session
