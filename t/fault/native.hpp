// A client of the `native` dialect, in JSON.
#pragma once

#include "subscriber.hpp"

namespace paperboy::fault {

class NativeSubscriber final : public Subscriber {
 public:
  NativeSubscriber(Stage& stage, const std::string& name,
                   const std::vector<std::uint32_t>& channels)
      : Subscriber(stage, "native", name, channels) {}

 private:
  void greet() override;
  void welcome() override;
  bool take(Bytes& bytes) override;

  bool line(Bytes text);
  bool reply(Bytes text);
  void subscribed(Witness& here, Bytes answer);
  bool push(Bytes push);
  void publications(Bytes array, std::uint64_t epoch);
  void publication(Bytes pub, std::uint64_t epoch);

  void say(const std::string& text);
  [[nodiscard]] std::string subscribe(std::size_t index);

  std::size_t subscribed_ = 0;  ///< to how many of its channels
};

}  // namespace paperboy::fault
