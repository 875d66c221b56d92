// A client of the classic protocol, as the original one is: it shows a token a
// channel on one socket, and looks from time to time whether that is closed;
// then it opens another. Beside its channels it hears what is said to its user.
#pragma once

#include "listener.hpp"

namespace paperboy::fault {

class ClassicSubscriber final : public Listener {
 public:
  /// `user`: a number, from 0 on. `edge`: no back end lets it in.
  ClassicSubscriber(Stage& stage, const std::string& name,
                    const std::vector<std::uint32_t>& channels,
                    std::uint32_t user, bool edge);

  [[nodiscard]] bool is_let_in_by_edge() const { return edge_; }

 private:
  void greet() override;
  void welcome() override;
  void text(Bytes text) override;
  [[nodiscard]] double pause() override;
  [[nodiscard]] double patience() override;

  void subscribed(Bytes channel);
  void message(Bytes text);

  std::uint32_t user_;
  bool edge_;
  std::size_t subscribed_ = 0;  ///< in how many channels
};

[[nodiscard]] std::string user_name(std::uint32_t user);

/// What a back end says to all of a channel, or to all of a user's. The time
/// is that of the number, so that a client can tell the text.
[[nodiscard]] std::string classic_text(Bytes user, Bytes channel, Bytes payload,
                                       std::uint32_t number);

}  // namespace paperboy::fault
