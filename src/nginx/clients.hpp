// All clients of this worker, whatever carries them.
#pragma once

#include "nginx/ngx.hpp"

#include "nginx/connection.hpp"
#include "nginx/worker.hpp"

namespace paperboy::nginx {

/// Calls `visit(client)` for those with a socket of their own, in the slots of
/// nginx's table of connections from `begin` to before `end`. That table is the
/// list: one of ours would cost each of them two pointers.
template <typename Visit>
void each_socket(ngx_uint_t begin, ngx_uint_t end, Visit&& visit) {
  // Without a master, nginx makes none for the cycle after a reload.
  if (ngx_cycle->connections == nullptr) return;
  for (ngx_uint_t i = begin; i < end; ++i) {
    Connection* const connection = Connection::of(ngx_cycle->connections[i]);
    if (connection != nullptr) visit(*connection);
  }
}

/// For those over held requests, and those whose 101 has yet to leave. One may
/// be taken over after it was visited here, and be visited as a socket too.
/// REQUIRES: Worker::current().
template <typename Visit>
void each_held(Visit&& visit) {
  for (Client* const client : Worker::current()->held()) visit(*client);
}

/// For all; a client has `shut_down`, which tells it to go, and `abort`, which
/// ends it at the end of the turn. REQUIRES: Worker::current().
template <typename Visit>
void each_client(Visit&& visit) {
  each_socket(0, ngx_cycle->connection_n, visit);
  each_held(visit);
}

}  // namespace paperboy::nginx
