// Secrets that the configuration names by their place: a file's, or a
// variable's of the environment. Read while it is parsed; none is ever shown.
#pragma once

#include "nginx/ngx.hpp"

#include <optional>
#include <string>

namespace paperboy::nginx {

/// The whole file but for a line's end at its end; relative to nginx's
/// configuration. None: it can't be read.
std::optional<std::string> read_material_file(ngx_conf_t* cf, Bytes name);

/// None: there is no such variable. What was found once stays: without a
/// master, nginx has cleared its environment by the next reload.
std::optional<std::string> read_environment(Bytes name);

}  // namespace paperboy::nginx
