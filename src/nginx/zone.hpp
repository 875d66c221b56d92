// The shared memory of the node: declared with the configuration, made by the
// master, kept over reloads. It lies in a zone that nginx manages, or in a
// file, and then nginx's zone only says where.
#pragma once

#include "nginx/ngx.hpp"

#include <cstddef>
#include <span>

#include "nginx/conf.hpp"

namespace paperboy::nginx {

/// Declares the zone that `main` describes; for a directive to return.
char* add_zone(ngx_conf_t* cf, MainConf& main);

/// In postconfiguration: declares a zone where locations need one and none was
/// named.
ngx_int_t default_zone(ngx_conf_t* cf);

/// Of the running configuration; empty: it has none.
std::span<std::byte> zone_memory();

/// In a worker that was told to go: nobody of its master's takes over, since
/// the master goes too, or the present configuration isn't ours. (Else it is a
/// reload.) What the youngest see first, all older ones learn here.
bool master_leaves();

/// In a new worker: its master has changed its mind (HUP after WINCH).
void stay();

/// In the master, after the configuration was accepted: the next generation
/// begins.
ngx_int_t init_module(ngx_cycle_t* cycle);

/// In the master, when its last worker has gone.
void exit_master(ngx_cycle_t* cycle);

}  // namespace paperboy::nginx
