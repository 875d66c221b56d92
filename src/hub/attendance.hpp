// Who of this worker's subscribers counts as present, and whose coming and
// going is told to their channel, as its rule says. Part of the hub.
#pragma once

#include <optional>
#include <unordered_map>

#include "base/member.hpp"
#include "hub/presence.hpp"
#include "hub/rule.hpp"

namespace paperboy::hub {

class Hub;
class Subscription;

class Attendance {
 public:
  /// Both must outlive this.
  Attendance(Hub& hub, Presence& presence) : hub_(hub), presence_(presence) {}

  /// Notes and tells what the rule asks for. Error: there is no room to note
  /// it, and nothing was told.
  Result<Done> enter(const Subscription& subscription, ChannelRef ref,
                     Bytes channel, const Rule& rule, const Member& member);

  /// Takes it back; does nothing where there is nothing.
  void leave(const Subscription& subscription, Bytes channel);

 private:
  struct Entry {
    std::optional<MemberRef> ref;
    std::optional<MemberRecord> announced;  // its join was told
  };

  void tell(Bytes channel, Event event, const Member& member);

  Hub& hub_;
  Presence& presence_;
  std::unordered_map<const Subscription*, Entry> entries_;
};

}  // namespace paperboy::hub
