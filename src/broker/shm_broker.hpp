// The shared-memory broker: a worker's seat in the node's zone behind the
// hub's port. One a worker, made after the fork; gives its seat up when it is
// destroyed.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "base/counters.hpp"
#include "broker/shm_zone.hpp"
#include "hub/broker.hpp"

namespace paperboy::broker {

class ShmBroker final : public hub::Broker {
 public:
  /// `seat`: claimed from `zone` by this worker. The zone must outlive this,
  /// and so must `closed`, where it is given: as long as that is not 0, nothing
  /// is published, since there are others who wouldn't hear it.
  ShmBroker(shm::Zone& zone, shm::SeatIndex seat,
            const std::atomic<std::uint32_t>* closed = nullptr)
      : zone_(zone), seat_(seat), closed_(closed) {}
  ~ShmBroker() override { zone_.release_seat(seat_); }

  Result<hub::Subscribed> subscribe(Bytes channel, std::uint64_t most) override;
  void unsubscribe(hub::ChannelRef ref) override;
  void publish(const Draft& draft, const hub::PublishReply& reply) override;
  hub::Drained drain(hub::BrokerEvents& events) override;
  Position position(hub::ChannelRef ref) override;
  Bytes name(hub::ChannelRef ref) override;
  void history(Bytes channel, const HistoryQuery& query,
               const hub::HistoryReply& reply) override;
  void remove_history(Bytes channel, const hub::DoneReply& reply) override;
  void release_history(Bytes channel, const Position& until) override;

  /// Once a second: shows that the worker lives, frees the seats of those
  /// that don't and what is over its age, tells what nobody has told of
  /// channels, and does what the zone's lock didn't let it do before.
  void tick();

 private:
  shm::Zone& zone_;
  shm::SeatIndex seat_;
  const std::atomic<std::uint32_t>* closed_;
  std::vector<shm::ChannelRef> leaving_;  // to be unsubscribed again
};

}  // namespace paperboy::broker
