// A client of notiflux: it subscribes to topics with a token, and is told
// nothing of it; so it asks something that is answered, and listens from then
// on.
#pragma once

#include "listener.hpp"

namespace paperboy::fault {

class NotifluxSubscriber final : public Listener {
 public:
  NotifluxSubscriber(Stage& stage, const std::string& name,
                     const std::vector<std::uint32_t>& channels);

 private:
  void greet() override;
  void welcome() override;
  void text(Bytes text) override;
};

/// A token of this scope, for these topics.
[[nodiscard]] std::string notiflux_token(
    const Signer& signer, Bytes scope,
    const std::vector<std::uint32_t>& channels);

}  // namespace paperboy::fault
