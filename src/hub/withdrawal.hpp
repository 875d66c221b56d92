// What takes something away: a revocation, the end of an opaque token, an order
// to clients. However full a zone is, there is to be room for it: so it is told
// from what may fill one. By its channel and what it says, since what comes
// from other nodes brings nothing else.
#pragma once

#include "base/publication.hpp"

namespace paperboy::hub {

[[nodiscard]] bool is_withdrawal(const Draft& draft);

}  // namespace paperboy::hub
