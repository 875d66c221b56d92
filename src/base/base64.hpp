// Base64 with padding (RFC 4648 section 4), for bytes where only text goes.
#pragma once

#include <string>

#include "base/bytes.hpp"

namespace paperboy {

void append_base64(std::string& out, Bytes bytes);

}  // namespace paperboy
