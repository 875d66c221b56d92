// A back end of the classic protocol, as far as it speaks: it publishes what it
// has to say, to channels and to users, in the topic `paperboy-message` of its
// Redis, one message after the other.
#pragma once

#include "publisher.hpp"

namespace paperboy::fault {

class TopicPublisher final : public Reader, public Source {
 public:
  /// It is the `own`th of `all`, and says what is said to every `all`th user.
  TopicPublisher(Stage& stage, std::uint32_t number, std::uint32_t own,
                 std::uint32_t all);

  void on_ready() override;
  void tick(double now) override;

  [[nodiscard]] bool is_free() const override { return message_.empty(); }
  /// Each third is for one of its users in place of the channel.
  void publish(std::uint32_t channel, std::size_t size) override;
  /// REQUIRES: it is free, and the user is one of its own.
  void publish_to_user(std::uint32_t user, std::size_t size);
  [[nodiscard]] bool has(std::uint32_t user) const {
    return user % all_ == own_;
  }

 private:
  void begin(std::uint32_t channel, std::size_t size);
  void send();
  void answered(Bytes line);
  void lost();

  Stage& stage_;
  Socket socket_;
  std::uint32_t number_;
  std::uint32_t own_;
  std::uint32_t all_;
  std::string message_;  ///< under way; empty: none
  Stamp stamp_;
  bool sent_ = false;
  std::uint64_t taken_before_ = 0;  ///< of the socket, before this message
  double again_ = 0;                ///< when to connect again
};

}  // namespace paperboy::fault
