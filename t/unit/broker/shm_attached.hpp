// A node of workers on a shared zone, for the contracts of the ports.
#pragma once

#include <memory>
#include <utility>

#include "broker/shm_broker.hpp"

#include "broker/contract.hpp"
#include "broker/shm_support.hpp"

namespace paperboy::broker {

/// A worker with a handle of its own on the zone, as each process has one.
class Attached final : public hub::Broker {
 public:
  explicit Attached(shm::Zone zone)
      : zone_(std::move(zone)),
        seat_(zone_.claim_seat().value()),
        broker_(zone_, seat_) {}

  Result<hub::Subscribed> subscribe(Bytes channel,
                                    std::uint64_t most) override {
    return broker_.subscribe(channel, most);
  }
  void unsubscribe(hub::ChannelRef ref) override { broker_.unsubscribe(ref); }
  void publish(const Draft& draft, const hub::PublishReply& reply) override {
    broker_.publish(draft, reply);
  }
  hub::Drained drain(hub::BrokerEvents& events) override {
    return broker_.drain(events);
  }
  Position position(hub::ChannelRef ref) override {
    return broker_.position(ref);
  }
  Bytes name(hub::ChannelRef ref) override { return broker_.name(ref); }
  void history(Bytes channel, const HistoryQuery& query,
               const hub::HistoryReply& reply) override {
    broker_.history(channel, query, reply);
  }
  void remove_history(Bytes channel, const hub::DoneReply& reply) override {
    broker_.remove_history(channel, reply);
  }

  void tick() { broker_.tick(); }
  shm::Zone& zone() { return zone_; }
  [[nodiscard]] shm::SeatIndex seat() const { return seat_; }

 private:
  shm::Zone zone_;
  shm::SeatIndex seat_;
  ShmBroker broker_;
};

class ShmNode final : public contract::Node {
 public:
  static shm::Options options() {
    shm::Options options = shm::small_options();
    options.log_size = 1 << 20;
    return options;
  }

  ShmNode() {
    assert_true(
        shm::Zone::format(memory.bytes(), options(), clock, waker).ok());
  }

  std::unique_ptr<hub::Broker> join() override {
    return std::make_unique<Attached>(
        shm::Zone::attach(memory.bytes(), clock, waker).value());
  }
  [[nodiscard]] std::size_t too_large() const override { return 1 << 20; }

  shm::SharedMemory memory{shm::Zone::minimum_size(options())};
  shm::ManualClock clock;
  shm::CountingWaker waker;
};

}  // namespace paperboy::broker
