// The memory of limits: a zone of nginx's of its own, that all workers share,
// and those after a reload.
#pragma once

#include "nginx/ngx.hpp"

#include <cstddef>
#include <span>

#include "nginx/conf.hpp"

namespace paperboy::nginx {

/// In postconfiguration: names the zone where something is limited.
ngx_int_t finish_limit_zone(ngx_conf_t* cf);

/// In a worker; empty: nothing is limited.
std::span<std::byte> limit_memory(const MainConf& main);

}  // namespace paperboy::nginx
