#include "broker/shm_presence.hpp"

#include <utility>

namespace paperboy::broker {

Result<hub::MemberRef> ShmPresence::enter(hub::ChannelRef ref,
                                          const Member& member,
                                          bool announced) {
  const auto entered =
      zone_.enter(seat_, static_cast<shm::ChannelRef>(ref), member, announced);
  if (!entered) return entered.error();
  return hub::MemberRef{*entered};
}

void ShmPresence::leave(hub::MemberRef ref) {
  const auto done = zone_.leave(seat_, static_cast<shm::MemberRef>(ref));
  if (!done && done.error().code == ErrorCode::unavailable) {
    leaving_.push_back(ref);
  }
}

void ShmPresence::members(Bytes channel, const Members& reply) {
  reply(zone_.members(channel));
}

void ShmPresence::stats(Bytes channel, const Stats& reply) {
  reply(zone_.presence_stats(channel));
}

void ShmPresence::tick() {
  for (const auto ref : std::exchange(leaving_, {})) leave(ref);
}

}  // namespace paperboy::broker
