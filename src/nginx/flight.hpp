// What nginx's filters were handed for a held request and its connection has
// not taken yet. One a request; its memory has to live as long as the
// request's pool, since frames of HTTP/2 may go on referring to it after the
// request's end.
//
// Buffers and links are the pool's and used again; the bytes are our own, and
// freed when they have been sent, so that a stream may run for weeks.
#pragma once

#include "nginx/ngx.hpp"

#include <cstddef>
#include <list>
#include <string>

#include "nginx/outbox.hpp"

namespace paperboy::nginx {

class Flight {
 public:
  explicit Flight(ngx_http_request_t* r) : r_(r) {}

  /// Bytes that are under way.
  [[nodiscard]] std::size_t size() const { return size_; }

  /// Whether nginx holds something back: its socket, a filter, or a subrequest
  /// that comes first.
  [[nodiscard]] bool is_held_back() const;

  /// Pushes what is under way, and once that has been taken, all of `outbox`.
  Outbox::Sent send(Outbox& outbox);

  /// Copies what of the shared runs is under way. To be called after `send`,
  /// before the runs go.
  void keep();

 private:
  ngx_chain_t* load(Outbox& outbox);
  ngx_chain_t* link(Bytes bytes);
  ngx_int_t pass(ngx_chain_t* chain);
  [[nodiscard]] bool shares() const;

  ngx_http_request_t* r_;
  ngx_chain_t* free_ = nullptr;
  ngx_chain_t* busy_ = nullptr;
  std::list<std::string> bytes_;  // of `busy_`, in its order; empty: shared
  std::size_t size_ = 0;
};

}  // namespace paperboy::nginx
