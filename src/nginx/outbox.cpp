#include "nginx/outbox.hpp"

#include <algorithm>
#include <utility>

namespace paperboy::nginx {

namespace {

// As much as a TLS record holds: what waits together leaves as few of them.
constexpr std::size_t kChunk = 16UL * 1024;

std::size_t total(std::span<const iovec> pieces) {
  std::size_t size = 0;
  for (const iovec& piece : pieces) size += piece.iov_len;
  return size;
}

/// As nginx's own senders do it, for pieces that are no chain of buffers.
ssize_t send_gathered(ngx_connection_t* c, std::span<iovec> pieces) {
  for (;;) {
    const ssize_t n =
        ::writev(c->fd, pieces.data(), static_cast<int>(pieces.size()));
    if (n >= 0) {
      if (static_cast<std::size_t>(n) < total(pieces)) c->write->ready = 0;
      return n;
    }
    if (ngx_errno == NGX_EINTR) continue;
    c->write->ready = 0;
    if (ngx_errno == NGX_EAGAIN) return NGX_AGAIN;
    c->write->error = 1;
    return NGX_ERROR;
  }
}

ssize_t send_pieces(ngx_connection_t* c, std::span<iovec> pieces) {
  // TLS knows no gathering; a single piece needs none.
  if (c->ssl == nullptr && pieces.size() > 1) return send_gathered(c, pieces);
  return c->send(c, static_cast<u_char*>(pieces[0].iov_base),
                 pieces[0].iov_len);
}

}  // namespace

void Outbox::add(Bytes bytes) {
  // Own bytes come before the runs: what is added after one goes after it.
  absorb_runs();
  size_ += bytes.size();
  while (!bytes.empty()) {
    if (chunks_.empty() || chunks_.back().size() >= kChunk) {
      chunks_.emplace_back();
    }
    std::string& last = chunks_.back();
    const Bytes part = bytes.substr(0, kChunk - last.size());
    if (last.size() + part.size() > kChunk / 2) last.reserve(kChunk);
    last.append(part);
    bytes.remove_prefix(part.size());
  }
}

void Outbox::add_shared(Bytes run) {
  runs_.push_back(run);
  size_ += run.size();
}

void Outbox::absorb_runs() {
  const auto runs = std::exchange(runs_, {});
  for (const Bytes run : runs) {
    size_ -= run.size();
    add(run);
  }
}

std::vector<std::string> Outbox::take_chunks() {
  for (const std::string& chunk : chunks_) size_ -= chunk.size();
  return std::exchange(chunks_, {});
}

Few<Bytes> Outbox::take_runs() {
  for (const Bytes run : runs_) size_ -= run.size();
  return std::exchange(runs_, {});
}

Outbox::Sent Outbox::send(ngx_connection_t* c) {
  Sent sent;
  // Small runs for one client become one record of TLS.
  if (c->ssl != nullptr && (runs_.size() > 1 || !chunks_.empty())) {
    absorb_runs();
  }
  while (size_ > 0) {
    Pieces pieces;
    const ssize_t n = send_pieces(c, gather(pieces));
    if (n == NGX_AGAIN) break;
    if (n <= 0) {
      sent.failed = true;
      break;
    }
    drop(static_cast<std::size_t>(n));
    sent.bytes += static_cast<std::size_t>(n);
    if (c->write->ready == 0) break;
  }
  return sent;
}

/// The first pieces of what waits, in order.
std::span<iovec> Outbox::gather(Pieces& pieces) {
  std::size_t count = 0;
  const auto put = [&](Bytes piece) {
    if (count == pieces.size()) return;
    pieces[count++] = {const_cast<char*>(piece.data()), piece.size()};
  };
  for (std::size_t i = 0; i < chunks_.size(); ++i) {
    put(Bytes(chunks_[i]).substr(i == 0 ? front_sent_ : 0));
  }
  for (const Bytes run : runs_) put(run);
  return std::span(pieces).first(count);
}

void Outbox::drop(std::size_t sent) {
  size_ -= sent;
  std::size_t gone = 0;
  for (; gone < chunks_.size() && sent > 0; ++gone) {
    const std::size_t left = chunks_[gone].size() - front_sent_;
    if (sent < left) {
      front_sent_ += sent;
      sent = 0;
      break;
    }
    sent -= left;
    front_sent_ = 0;
  }
  chunks_.erase(chunks_.begin(),
                chunks_.begin() + static_cast<std::ptrdiff_t>(gone));
  for (Bytes& run : std::exchange(runs_, {})) {
    const std::size_t of_it = std::min(sent, run.size());
    sent -= of_it;
    run.remove_prefix(of_it);
    if (!run.empty()) runs_.push_back(run);
  }
}

}  // namespace paperboy::nginx
