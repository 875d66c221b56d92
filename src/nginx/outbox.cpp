#include "nginx/outbox.hpp"

#include <sys/uio.h>

#include <algorithm>
#include <array>

namespace paperboy::nginx {

namespace {

// Beyond that many pieces they are copied together first.
constexpr std::size_t kMaxPieces = 16;

}  // namespace

void Outbox::add(Bytes bytes) {
  // Own bytes come before the runs: what is added after one goes after it.
  absorb_runs();
  own_.append(bytes);
}

std::size_t Outbox::size() const {
  std::size_t size = own_.size() - own_sent_;
  for (const Bytes run : runs_) size += run.size();
  return size;
}

void Outbox::absorb_runs() {
  for (const Bytes run : runs_) own_.append(run);
  runs_.clear();
}

Outbox::Sent Outbox::send(ngx_connection_t* c) {
  Sent sent;
  for (std::size_t left = size(); left > 0;) {
    const ssize_t n = send_once(c);
    if (n == NGX_AGAIN) break;
    if (n <= 0) {
      sent.failed = true;
      break;
    }
    drop(static_cast<std::size_t>(n));
    sent.bytes += static_cast<std::size_t>(n);
    left -= static_cast<std::size_t>(n);
    if (left > 0 && c->write->ready == 0) break;
  }
  return sent;
}

ssize_t Outbox::send_once(ngx_connection_t* c) {
  const Bytes own = Bytes(own_).substr(own_sent_);
  if (!own.empty() && !runs_.empty()) {
    // One record of TLS for what waits together; a few pieces in one call.
    if (c->ssl != nullptr || runs_.size() >= kMaxPieces) absorb_runs();
  } else if (runs_.size() > 1 &&
             (c->ssl != nullptr || runs_.size() > kMaxPieces)) {
    absorb_runs();
  }
  const Bytes first = !own.empty() || runs_.empty()
                          ? Bytes(own_).substr(own_sent_)
                          : runs_.front();
  const bool single = runs_.empty() || (own.empty() && runs_.size() == 1);
  if (!single) return send_gathered(c);
  const ngx_str_t piece = borrow(first);
  return c->send(c, piece.data, piece.len);
}

/// As nginx's own senders do it, for pieces that are no chain of buffers.
ssize_t Outbox::send_gathered(ngx_connection_t* c) {
  std::array<iovec, kMaxPieces + 1> pieces;
  std::size_t count = 0;
  const auto put = [&](Bytes piece) {
    pieces[count++] = {const_cast<char*>(piece.data()), piece.size()};
  };
  if (own_.size() > own_sent_) put(Bytes(own_).substr(own_sent_));
  for (const Bytes run : runs_) put(run);
  for (;;) {
    const ssize_t n = ::writev(c->fd, pieces.data(), static_cast<int>(count));
    if (n >= 0) {
      if (static_cast<std::size_t>(n) < size()) c->write->ready = 0;
      return n;
    }
    if (ngx_errno == NGX_EINTR) continue;
    c->write->ready = 0;
    if (ngx_errno == NGX_EAGAIN) return NGX_AGAIN;
    c->write->error = 1;
    return NGX_ERROR;
  }
}

void Outbox::drop(std::size_t size) {
  const std::size_t own = std::min(size, own_.size() - own_sent_);
  own_sent_ += own;
  size -= own;
  if (own_sent_ == own_.size()) {
    own_.clear();
    own_sent_ = 0;
  } else if (own_sent_ > own_.size() / 2) {
    own_.erase(0, own_sent_);
    own_sent_ = 0;
  }
  std::size_t gone = 0;
  while (gone < runs_.size() && size >= runs_[gone].size()) {
    size -= runs_[gone++].size();
  }
  runs_.erase(runs_.begin(), runs_.begin() + static_cast<ptrdiff_t>(gone));
  if (size > 0) runs_.front().remove_prefix(size);
}

}  // namespace paperboy::nginx
