// The shared memory of the node as nginx manages it: declared with the
// configuration, made by the master, kept over reloads. The descriptors that
// wake the workers belong to it: made once, before the first fork, since a
// worker can't see what the master opens later.
#pragma once

#include "nginx/ngx.hpp"

#include <cstddef>
#include <span>

#include "nginx/conf.hpp"

namespace paperboy::nginx {

inline constexpr std::size_t kMaxSeats = 512;

/// Declares the zone that `main` describes; for a directive to return.
char* add_zone(ngx_conf_t* cf, MainConf& main);

/// In postconfiguration: declares a zone where locations need one and none was
/// named.
ngx_int_t default_zone(ngx_conf_t* cf);

/// Of the running configuration; empty: it has none.
std::span<std::byte> zone_memory();

/// The zone's clients hear nothing any more: the present configuration, which
/// isn't ours, has none.
bool zone_abandoned();

/// In the master, after the configuration was accepted.
ngx_int_t make_wakeups(ngx_cycle_t* cycle);

/// The eventfd of a seat; -1: there is none.
int wakeup(std::size_t seat);

}  // namespace paperboy::nginx
