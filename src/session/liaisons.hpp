// The sessions of a worker that back ends of the classic protocol speak of: by
// the id under which one asked to be authorised, and by their users. Obeys the
// notices that come for them. One a worker, on its event loop; outlives the
// sessions.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "hub/back_end.hpp"
#include "hub/ear.hpp"
#include "hub/notice.hpp"
#include "session/client_id.hpp"

namespace paperboy::session {

class Conversation;

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

  /// Once a second: who was let in a while ago needs no copies any more.
  void tick();

  /// To all workers of the node, this one too.
  void tell(const hub::Notice& notice);

  // Of sessions; each is forgotten before it ends.

  /// It has asked, and is known by its id from now on.
  void note_asked(const ClientId& id, Conversation& conversation);
  /// `key`: of its user's channel.
  void note_user(const std::string& key, Conversation& conversation);
  /// It was just let in: copies are for it, for a while.
  void note_young(Conversation& conversation);
  void forget(const ClientId& id, const std::string& key,
              const Conversation& conversation);

  /// For how long copies come.
  static constexpr std::uint64_t kYoungMs = 10'000;

 private:
  struct Hash {
    std::size_t operator()(const ClientId& id) const { return id[0]; }
  };

  void obey(const hub::Notice& notice);
  void obey_closed(const hub::Notice& notice);
  void hand_copy(const hub::Notice& notice);

  hub::Hub& hub_;
  const Clock& clock_;
  hub::Ear ear_;
  hub::BackEnd* back_end_ = nullptr;
  std::function<void(const hub::Notice&)> hears_;
  std::unordered_map<ClientId, Conversation*, Hash> asked_;
  std::unordered_map<std::string, std::vector<Conversation*>> users_;
  std::vector<std::pair<Conversation*, std::uint64_t>> young_;  // until, in ms
};

}  // namespace paperboy::session
