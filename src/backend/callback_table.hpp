// The callbacks of a node, in a block of shared memory that its workers have in
// common and that outlives each of them:
//
//   block = instance version serials slot*
//   slot  = serial callback          serial 0: it is free
//
// A slot is filled first and gets its serial last, so that a worker that is
// killed at any instruction leaves either a callback or none. Offsets and
// numbers only; nothing points anywhere.
//
// A view without state of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "backend/callback.hpp"

namespace paperboy::backend {

struct Registered {
  std::uint64_t serial;  // of this registration; another one has another
  Callback callback;
};

class CallbackTable {
 public:
  static constexpr std::size_t kMost = 256;  // callbacks

  /// Of the block, in bytes.
  [[nodiscard]] static std::size_t size();

  /// Makes an empty table of it. `instance`: who has lost what was registered
  /// before is told by another one.
  static void format(void* block, std::uint64_t instance);

  /// REQUIRES: it was formatted, by a build with the same layout.
  explicit CallbackTable(void* block) : block_(block) {}

  [[nodiscard]] std::uint64_t instance() const;

  /// Another one: something has changed. Needs no lock.
  [[nodiscard]] std::uint64_t version() const;

  // All that follows: only one process at a time.

  /// One that is there already is registered anew. False: there are `most`.
  bool add(const Callback& callback, std::size_t most);

  /// Unless it was registered anew meanwhile.
  void remove(std::uint64_t serial);

  [[nodiscard]] std::vector<Registered> all() const;

 private:
  void* block_;
};

}  // namespace paperboy::backend
