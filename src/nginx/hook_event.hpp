// What applications are told (paperboy_hook), as JSON: an object each.
#pragma once

#include "nginx/ngx.hpp"

#include <string>

#include "broker/shm_types.hpp"
#include "session/hook.hpp"

namespace paperboy::nginx {

/// Of a client, now.
[[nodiscard]] std::string event_text(const session::Hook::Told& what);

/// Of a channel, now.
[[nodiscard]] std::string event_text(const broker::shm::Change& change);

}  // namespace paperboy::nginx
