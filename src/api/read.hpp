// One command of the HTTP API by its method. Part of request.hpp.
#pragma once

#include "api/request.hpp"
#include "base/json_parameters.hpp"

namespace paperboy::api {

/// Its method's name, static; empty: there is none such.
[[nodiscard]] Bytes known_method(Bytes name);

/// What `parameters` lack or have of a wrong type spoils them. REQUIRES:
/// known_method(method).
[[nodiscard]] Command read_command(Bytes method, JsonParameters& parameters);

}  // namespace paperboy::api
