// A client of the `raw` dialect that wants positions: the subprotocol
// `paperboy.position`, of one channel.
#pragma once

#include "subscriber.hpp"

namespace paperboy::fault {

class RawSubscriber final : public Subscriber {
 public:
  RawSubscriber(Stage& stage, const std::string& name,
                const std::vector<std::uint32_t>& channels)
      : Subscriber(stage, "raw", name, channels) {}

 private:
  void greet() override;
  bool take(Bytes& bytes) override;

  void message(Bytes text);
  void begins(const Place& place);
  bool closed(Bytes payload);

  bool began_ = false;  ///< in this connection
  bool gap_ = false;    ///< told: it has to begin anew
};

}  // namespace paperboy::fault
