// A client of server-sent events over HTTP/1.1, as EventSource is one.
#pragma once

#include "subscriber.hpp"

namespace paperboy::fault {

class EventSubscriber final : public Subscriber {
 public:
  EventSubscriber(Stage& stage, const std::string& name,
                  const std::vector<std::uint32_t>& channels)
      : Subscriber(stage, "sse", name, channels) {}

 private:
  void greet() override;
  bool take(Bytes& bytes) override;

  bool answered(Bytes head);
  void event(Bytes block);
  void gap(Bytes data);
  void begins(Bytes id);
  void stands(Bytes id);
  [[nodiscard]] Place place_in(Bytes id, std::uint32_t channel) const;

  bool streaming_ = false;
  std::string text_;              ///< of an event that isn't whole yet
  std::string id_;                ///< of the last event
  std::vector<bool> gaps_;        ///< told in this stream, by witness
  std::vector<bool> positioned_;  ///< has its place in this stream
};

}  // namespace paperboy::fault
