// Signatures that were found good before: a client that comes back with the
// token it had costs no second RSA or EC verification, the dearest part of a
// handshake. Only that is remembered, of one key and the whole token; claims
// are read each time, so that nothing here outlives an expiry.
//
// In memory that all workers of a node share, and those after a reload. No
// lock: an entry is two words, and halves of different entries are the mark of
// no token that anybody could make.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.hpp"

namespace paperboy::auth {

/// SHA-256 of a public key and its algorithm.
using KeyDigest = std::array<unsigned char, 32>;

class SignatureCache {
 public:
  /// Makes an empty cache of `memory`, which is zeroed and aligned to 64 bytes.
  /// False: there is no randomness to make it with. REQUIRES: kLeast bytes.
  static bool format(std::span<std::byte> memory);

  /// Remembers nothing until it is attached.
  SignatureCache() = default;
  SignatureCache(const SignatureCache&) = delete;
  SignatureCache& operator=(const SignatureCache&) = delete;

  /// To a formatted one, which must outlive this.
  void attach(std::span<std::byte> memory);

  [[nodiscard]] bool attached() const { return head_ != nullptr; }

  /// Whether `token` was found to be signed with the key.
  [[nodiscard]] bool holds(const KeyDigest& key, Bytes token);
  /// It was; another may be forgotten for it.
  void keep(const KeyDigest& key, Bytes token);

  struct Stats {
    std::uint64_t hits = 0;
    std::uint64_t misses = 0;
    std::uint64_t tokens = 0;  // that it has room for
  };
  [[nodiscard]] Stats stats() const;

  static constexpr std::size_t kLeast = 4096;  // bytes

 private:
  struct Head;
  struct Entry {
    std::atomic<std::uint64_t> first;  // both 0: empty
    std::atomic<std::uint64_t> second;
  };
  using Mark = std::array<std::uint64_t, 2>;

  // A line of the processor's cache.
  static constexpr std::size_t kBucket = 4;
  using Bucket = std::array<Entry, kBucket>;
  static_assert(sizeof(Bucket) == 64);

  /// All zeros: it couldn't be made.
  [[nodiscard]] Mark mark(const KeyDigest& key, Bytes token) const;
  [[nodiscard]] Bucket& bucket(const Mark& mark) const;

  Head* head_ = nullptr;
  std::span<Bucket> buckets_;
};

}  // namespace paperboy::auth
