#include "hub/attendance.hpp"

#include "hub/hub.hpp"

namespace paperboy::hub {

Result<Done> Attendance::enter(const Subscription& subscription, ChannelRef ref,
                               Bytes channel, const Rule& rule,
                               const Member& member) {
  if (!rule.presence && !rule.join_leave) return Done{};
  Entry& entry = entries_[&subscription];
  if (rule.join_leave) entry.announced.emplace(member);
  if (rule.presence) {
    const auto entered = presence_.enter(ref, member, rule.join_leave);
    if (!entered) {
      entries_.erase(&subscription);
      return entered.error();
    }
    entry.ref = *entered;
  }
  if (rule.join_leave) tell(channel, Event::join, member);
  return Done{};
}

void Attendance::leave(const Subscription& subscription, Bytes channel) {
  const auto found = entries_.find(&subscription);
  if (found == entries_.end()) return;
  const auto entry = entries_.extract(found);
  if (entry.mapped().ref) presence_.leave(*entry.mapped().ref);
  if (entry.mapped().announced) {
    tell(channel, Event::leave, entry.mapped().announced->view());
  }
}

/// It may get lost where the zone has no room: who wants to know who is there
/// asks.
void Attendance::tell(Bytes channel, Event event, const Member& member) {
  std::string who;
  append_member(who, member);
  hub_.publish({.channel = channel, .event = event, .data = who},
               [](const auto&) {});
}

}  // namespace paperboy::hub
