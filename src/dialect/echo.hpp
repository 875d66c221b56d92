// echo: every message comes back as it is. For health checks and conformance
// suites; it knows no channels.
#pragma once

#include "dialect/dialect.hpp"

namespace paperboy::dialect {

class Echo final : public Dialect {
 public:
  [[nodiscard]] LocationChannels location_channels() const override {
    return LocationChannels::unused;
  }
  [[nodiscard]] Decoded decode(std::optional<Message>& rest) const override;
  [[nodiscard]] Answer published(const Publish& command,
                                 const Result<Position>& outcome,
                                 std::string& scratch) const override;
  [[nodiscard]] Message publication(const Publication& publication,
                                    std::string& scratch) const override;
};

}  // namespace paperboy::dialect
