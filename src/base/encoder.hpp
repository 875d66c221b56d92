// The port through which the hub has a publication made into the bytes of one
// dialect, once for all subscribers who take the same bytes.
#pragma once

#include <string>

#include "base/publication.hpp"

namespace paperboy {

/// One a worker for each variant of bytes (dialect, framing, compression);
/// outlives every subscription that names it.
class Encoder {
 public:
  Encoder() = default;
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;
  virtual ~Encoder() = default;

  /// Appends `publication`, complete as the transport sends it, to `out`.
  virtual void encode(const Publication& publication, std::string& out) = 0;
};

}  // namespace paperboy
