// A stream of events over a held HTTP request: what comes out of the session,
// as the sse dialect has it, and nothing in.
//
// Owned by the transport's owner, on one worker.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dialect/event_id.hpp"
#include "session/link.hpp"

namespace paperboy::session {

class EventStream : public Link {
 public:
  /// Must outlive this.
  explicit EventStream(const Site& site);
  ~EventStream() override;

  /// Subscribes, and says where the stream begins. An error refuses the
  /// request.
  Result<Done> open(const Admission& admission);

  /// The answer's header is out: heartbeats begin.
  void start();

 private:
  struct Place;

  // Outlet
  Encoder& encoder(bool events) override;
  void message(const dialect::Message& message) override;
  void run(const hub::Subscription& from, Bytes encoded,
           std::uint32_t count) override;
  void copied(const hub::Subscription& from, Bytes encoded,
              std::uint32_t count) override;
  void tell_gap(const hub::Subscription& at) override;
  void begins(const hub::Subscription& at, const Position& position) override;
  [[nodiscard]] bool tells_beginning() const override { return true; }

  // Link
  void say_end(const Close& close) override;
  [[nodiscard]] std::optional<std::uint64_t> heartbeat_in() const override;
  void heartbeat() override;

  [[nodiscard]] std::uint64_t retry_ms() const;
  void note_places(const Admission& admission);
  Place& place(const hub::Subscription& of);
  void append_id(std::string& out) const;
  std::string with_ids(Place& place, Bytes run);

  // Of a stream of several channels, whose events carry all their positions.
  std::unique_ptr<std::vector<Place>> places_;
  bool opening_ = false;
};

}  // namespace paperboy::session
