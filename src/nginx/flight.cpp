#include "nginx/flight.hpp"

namespace paperboy::nginx {

namespace {

Bytes rest(const ngx_buf_t& buffer) {
  return {reinterpret_cast<const char*>(buffer.pos),
          static_cast<std::size_t>(buffer.last - buffer.pos)};
}

void point_to(ngx_buf_t& buffer, Bytes bytes) {
  const ngx_str_t text = borrow(bytes);
  buffer.pos = buffer.start = text.data;
  buffer.last = buffer.end = text.data + text.len;
}

}  // namespace

Outbox::Sent Flight::send(Outbox& outbox) {
  Outbox::Sent sent;
  const std::size_t before = size_ + outbox.size();
  ngx_int_t passed = NGX_OK;
  // With nothing to push nginx would take an empty chain for an error.
  if (is_held_back()) passed = pass(nullptr);
  if (busy_ == nullptr && passed != NGX_ERROR && outbox.size() > 0) {
    passed = pass(load(outbox));
  }
  sent.bytes = before - size_ - outbox.size();
  sent.failed = passed == NGX_ERROR;
  return sent;
}

bool Flight::is_held_back() const {
  return (r_->connection->buffered | r_->buffered) != 0 ||
         r_->postponed != nullptr;
}

/// HTTP/1 sends the very buffers that it is handed, so that what is left of
/// one can be put elsewhere. HTTP/2 and 3 make others of them.
bool Flight::shares() const { return r_->http_version <= NGX_HTTP_VERSION_11; }

/// All that the outbox has, the last of it to be sent at once.
ngx_chain_t* Flight::load(Outbox& outbox) {
  if (!shares()) outbox.keep();
  ngx_chain_t* first = nullptr;
  ngx_chain_t** end = &first;
  ngx_chain_t* last = nullptr;
  const auto add = [&](Bytes bytes) {
    last = *end = link(bytes);
    end = &last->next;
  };
  for (std::string& chunk : outbox.take_chunks()) {
    add(bytes_.emplace_back(std::move(chunk)));
  }
  for (const Bytes run : outbox.take_runs()) {
    bytes_.emplace_back();
    add(run);
  }
  last->buf->flush = 1;
  return first;
}

/// A buffer over `bytes`, one that was used before or a new one.
ngx_chain_t* Flight::link(Bytes bytes) {
  ngx_chain_t* const link = ngx_chain_get_free_buf(r_->pool, &free_);
  if (link == nullptr) throw std::bad_alloc();
  *link->buf = {};
  link->buf->memory = 1;
  link->buf->tag = &ngx_http_paperboy_module;
  point_to(*link->buf, bytes);
  link->next = nullptr;
  return link;
}

ngx_int_t Flight::pass(ngx_chain_t* chain) {
  const ngx_int_t passed = ngx_http_output_filter(r_, chain);
  ngx_chain_update_chains(r_->pool, &free_, &busy_, &chain,
                          &ngx_http_paperboy_module);
  std::size_t count = 0;
  size_ = 0;
  for (const ngx_chain_t* link = busy_; link != nullptr; link = link->next) {
    ++count;
    size_ += rest(*link->buf).size();
  }
  // They are taken in order.
  while (bytes_.size() > count) bytes_.pop_front();
  return passed;
}

void Flight::keep() {
  auto bytes = bytes_.begin();
  for (ngx_chain_t* link = busy_; link != nullptr; link = link->next) {
    std::string& own = *bytes++;
    if (!own.empty()) continue;
    own = rest(*link->buf);
    point_to(*link->buf, own);
  }
}

}  // namespace paperboy::nginx
