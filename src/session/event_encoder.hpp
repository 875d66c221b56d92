// Publications as events of a stream: the dialect's text and nothing around
// it.
#pragma once

#include <string>

#include "base/encoder.hpp"
#include "dialect/dialect.hpp"

namespace paperboy::session {

class EventEncoder final : public Encoder {
 public:
  /// `dialect` must outlive this.
  explicit EventEncoder(const dialect::Dialect& dialect) : dialect_(dialect) {}

  void encode(const Publication& publication, std::string& out) override;

 private:
  const dialect::Dialect& dialect_;
  std::string scratch_;
};

}  // namespace paperboy::session
