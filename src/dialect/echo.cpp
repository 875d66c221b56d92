#include "dialect/echo.hpp"

namespace paperboy::dialect {

Decoded Echo::decode(std::optional<Message>& rest) const {
  if (!rest) return NeedMore{};
  const Send command{*rest};
  rest.reset();
  return command;
}

Answer Echo::published(const Publish&, const Result<Position>&,
                       std::string&) const {
  return {};
}

Message Echo::publication(const Publication& publication, std::string&) const {
  return {publication.kind, publication.data};
}

}  // namespace paperboy::dialect
