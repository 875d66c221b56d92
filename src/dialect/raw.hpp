// raw: five lines of plain WebSocket. A message is a publication, either way.
// Errors have no message of their own: what can't be done ends the connection,
// with a code and reason that say why.
#pragma once

#include "dialect/dialect.hpp"

namespace paperboy::dialect {

class Raw final : public Dialect {
 public:
  [[nodiscard]] Decoded decode(State* state,
                               std::optional<Message>& rest) const override;
  [[nodiscard]] Answer published(State* state, const Publish& command,
                                 const Result<Position>& outcome,
                                 std::string& scratch) const override;
  [[nodiscard]] Message publication(const Publication& publication,
                                    std::string& scratch) const override;
};

}  // namespace paperboy::dialect
