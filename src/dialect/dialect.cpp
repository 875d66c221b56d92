#include "dialect/dialect.hpp"

#include "dialect/classic.hpp"
#include "dialect/echo.hpp"
#include "dialect/native.hpp"
#include "dialect/notiflux.hpp"
#include "dialect/raw.hpp"
#include "dialect/sse.hpp"

namespace paperboy::dialect {

const Dialect* find(Bytes name) {
  static const Native native;
  static const Notiflux notiflux;
  static const Raw raw;
  static const Echo echo;
  static const Classic classic;
  if (name == "native") return &native;
  if (name == "raw") return &raw;
  if (name == "notiflux") return &notiflux;
  if (name == "echo") return &echo;
  if (name == "classic") return &classic;
  if (name == "sse") return &sse(EventNames::off);
  return nullptr;
}

}  // namespace paperboy::dialect
