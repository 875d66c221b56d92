#include "auth/issuers.hpp"

#include <algorithm>

namespace paperboy::auth {

const Issuer* Issuers::find(const Json& claims) const {
  if (!by_name_) return &issuers_.front();
  const Json name = claims.get("iss");
  if (!name.is_string()) return nullptr;
  const auto found = std::ranges::find_if(issuers_, [&](const Issuer& issuer) {
    return issuer.rules->issuer == name.as_string();
  });
  return found == issuers_.end() ? nullptr : &*found;
}

}  // namespace paperboy::auth
