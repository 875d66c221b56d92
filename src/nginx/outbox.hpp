// What waits to be sent on one connection: bytes of its own, then runs that
// all subscribers of a channel share. Exists only while something waits.
//
// Own bytes lie in chunks, so that a backlog costs what waits in it, not what
// a buffer that doubles would.
#pragma once

#include "nginx/ngx.hpp"

#include <sys/uio.h>

#include <array>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/few.hpp"
#include "base/slab.hpp"

namespace paperboy::nginx {

class Outbox {
 public:
  // Each delivery begins one and ends it.
  static void* operator new(std::size_t) {
    return Slab<sizeof(Outbox)>::take();
  }
  static void operator delete(void* memory) {
    Slab<sizeof(Outbox)>::give(memory);
  }

  void add(Bytes bytes);

  /// Not copied: must live until the next `keep`.
  void add_shared(Bytes run);

  [[nodiscard]] std::size_t size() const { return size_; }

  // Its owner's note: how many bytes were tried, and not taken.
  [[nodiscard]] std::size_t untaken() const { return untaken_; }
  void set_untaken(std::size_t bytes) { untaken_ = bytes; }

  struct Sent {
    std::size_t bytes = 0;
    bool failed = false;  // the connection is lost
  };

  /// Sends what the socket takes: all that waits in one call, up to
  /// kMaxPieces of it.
  Sent send(ngx_connection_t* c);

  /// For those who send by other means: all of it, in this order; chunks are
  /// none that `send` has begun.
  [[nodiscard]] std::vector<std::string> take_chunks();
  [[nodiscard]] Few<Bytes> take_runs();

  /// Copies what of the shared runs is left. To be called after `send`,
  /// before the runs go.
  void keep() { absorb_runs(); }

 private:
  static constexpr std::size_t kMaxPieces = 64;
  using Pieces = std::array<iovec, kMaxPieces>;

  void absorb_runs();
  std::span<iovec> gather(Pieces& pieces);
  void drop(std::size_t size);

  std::vector<std::string> chunks_;
  std::size_t front_sent_ = 0;  // of the first chunk, bytes
  Few<Bytes> runs_;             // mostly one
  std::size_t size_ = 0;
  std::size_t untaken_ = 0;
};

}  // namespace paperboy::nginx
