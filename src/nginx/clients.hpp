// All clients of this worker, whatever carries them.
#pragma once

#include "nginx/ngx.hpp"

#include "nginx/connection.hpp"
#include "nginx/worker.hpp"

namespace paperboy::nginx {

/// Calls `visit(client)` for each; a client has `shut_down`, which tells it to
/// go, and `abort`, which ends it at the end of the turn. nginx's own table of
/// connections is the list of sockets: one of ours would cost each of them two
/// pointers. REQUIRES: Worker::current().
template <typename Visit>
void each_client(Visit&& visit) {
  for (ngx_uint_t i = 0; i < ngx_cycle->connection_n; ++i) {
    Connection* const connection = Connection::of(ngx_cycle->connections[i]);
    if (connection != nullptr) visit(*connection);
  }
  for (Client* const client : Worker::current()->held()) visit(*client);
}

}  // namespace paperboy::nginx
