// A run of bytes that somebody else owns. Text and binary alike: what is text
// has been checked to be UTF-8 by whoever says so (see utf8.hpp).
#pragma once

#include <string_view>

namespace paperboy {

using Bytes = std::string_view;

}  // namespace paperboy
