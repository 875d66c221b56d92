// A client over a WebSocket that is told no positions: of one message in a
// frame, in a form of its own.
#pragma once

#include "hearing.hpp"
#include "subscriber.hpp"

namespace paperboy::fault {

class Listener : public Subscriber {
 public:
  Listener(Stage& stage, const std::string& kind, const std::string& name,
           const std::vector<std::uint32_t>& channels);

  [[nodiscard]] bool is_at(const std::vector<Place>& ends) override;
  void ends(const std::vector<Place>& ends) override;
  [[nodiscard]] bool has_heard() const override;

 protected:
  /// A message of the server's.
  virtual void text(Bytes text) = 0;

  /// One more channel.
  Hearing& listen(std::uint32_t channel, bool returns);
  /// Null where it doesn't listen there.
  [[nodiscard]] Hearing* hearing(std::uint32_t channel);
  [[nodiscard]] std::vector<Hearing>& hearings() { return hearings_; }
  [[nodiscard]] const std::vector<Hearing>& hearings() const {
    return hearings_;
  }
  /// A message that was published in this channel.
  void heard(Bytes message, std::uint32_t channel);
  void say(Bytes text);

 private:
  bool take(Bytes& bytes) final;
  void over() override;
  void leave(double seconds) override;
  [[nodiscard]] bool may_leave() override;
  void receive(const Stamp& stamp, const Place& place) final;
  bool obey(std::uint8_t opcode, Bytes payload);

  std::string kind_;
  std::vector<Hearing> hearings_;
  bool ended_well_ = false;       ///< so that the server knows who has left
  bool leaving_ = false;          ///< it says no more
  std::vector<Place> leaves_at_;  ///< where it has to be before it leaves
};

}  // namespace paperboy::fault
