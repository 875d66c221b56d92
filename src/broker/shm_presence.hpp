// Who is in which channel, behind the hub's port: the members that a worker
// brought into the node's zone. One a worker, on the seat of its ShmBroker.
#pragma once

#include <vector>

#include "broker/shm_zone.hpp"
#include "hub/presence.hpp"

namespace paperboy::broker {

class ShmPresence final : public hub::Presence {
 public:
  /// `seat`: claimed from `zone` by this worker. The zone must outlive this.
  ShmPresence(shm::Zone& zone, shm::SeatIndex seat)
      : zone_(zone), seat_(seat) {}

  Result<hub::MemberRef> enter(hub::ChannelRef ref, const Member& member,
                               bool announced) override;
  void leave(hub::MemberRef ref) override;
  void members(Bytes channel, const Members& reply) override;
  void stats(Bytes channel, const Stats& reply) override;

  /// Once a second: does what the zone's lock didn't let it do before.
  void tick();

 private:
  shm::Zone& zone_;
  shm::SeatIndex seat_;
  std::vector<hub::MemberRef> leaving_;  // once more
};

}  // namespace paperboy::broker
