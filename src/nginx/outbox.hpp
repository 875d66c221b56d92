// What waits to be sent on one connection: bytes of its own, then runs that
// all subscribers of a channel share. Exists only while something waits.
#pragma once

#include "nginx/ngx.hpp"

#include <string>
#include <vector>

#include "base/bytes.hpp"

namespace paperboy::nginx {

class Outbox {
 public:
  void add(Bytes bytes);

  /// Not copied: must live until the next `keep`.
  void add_shared(Bytes run) { runs_.push_back(run); }

  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] bool empty() const { return size() == 0; }

  struct Sent {
    std::size_t bytes = 0;
    bool failed = false;  // the connection is lost
  };

  /// Sends what the socket takes, in one call where it can.
  Sent send(ngx_connection_t* c);

  /// Copies what of the shared runs is left. To be called after `send`,
  /// before the runs go.
  void keep() { absorb_runs(); }

 private:
  ssize_t send_once(ngx_connection_t* c);
  ssize_t send_gathered(ngx_connection_t* c);
  void absorb_runs();
  void drop(std::size_t size);

  std::string own_;
  std::size_t own_sent_ = 0;
  std::vector<Bytes> runs_;
};

}  // namespace paperboy::nginx
