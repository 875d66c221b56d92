// Which tokens are revoked, for whoever admits one or has admitted one: a table
// in memory that all workers of a node share, and those after a reload, so that
// these know it with their first client.
//
// What a revocation names becomes one number (a keyed hash: users choose their
// names), and what it says one word: issued before, remembered until. A look is
// one of at most four numbers, without a lock, and none where nothing is
// revoked.
//
// Writers take a lock, which is free again when one that held it is killed:
// whatever it left is good to look at and to go on with. The table has two
// halves, and one is in use: what has had its time makes room by the rest being
// written to the other.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "auth/jwt.hpp"
#include "base/bytes.hpp"
#include "base/revocation.hpp"

namespace paperboy::auth {

/// What is remembered of a token that let somebody in.
struct TokenMark {
  std::uint64_t id = 0;      // of its jti; see Revocations::number
  std::uint32_t issued = 0;  // iat, seconds since 1970; 0: it doesn't say
  bool known = false;        // there is a token
  bool opaque = false;       // and what it opens is kept under `id`
};

class Revocations {
 public:
  /// So much memory has room for `most` at a time.
  [[nodiscard]] static std::size_t size_for(std::size_t most);

  /// Makes an empty table of `memory`, which is zeroed and aligned to 64 bytes.
  /// False: there is no randomness to make it with.
  static bool format(std::span<std::byte> memory);

  /// Knows of nothing until it is attached.
  Revocations() = default;
  Revocations(const Revocations&) = delete;
  Revocations& operator=(const Revocations&) = delete;

  /// To a formatted one, which must outlive this.
  void attach(std::span<std::byte> memory);
  [[nodiscard]] bool attached() const { return head_ != nullptr; }

  /// Whether those that were there before this node are in it, too.
  [[nodiscard]] bool complete() const;
  void set_complete();

  /// Whether nothing is revoked, so that there is nothing to look for.
  [[nodiscard]] bool empty() const;

  // Looking. All numbers are `number`'s.

  /// What a text is known by here; never 0. One of no bytes has one, too.
  [[nodiscard]] std::uint64_t number(Bytes text) const;

  /// Of a token: `id`: its jti; empty: it has none. `issued`: 0: it doesn't
  /// say.
  [[nodiscard]] TokenMark mark(Bytes id, std::int64_t issued) const;

  /// Whether the token is revoked as a whole.
  [[nodiscard]] bool revokes(std::uint64_t name_space, std::uint64_t user,
                             const TokenMark& token, std::int64_t now) const;

  /// The same, or for that channel (of which it is the key).
  [[nodiscard]] bool revokes(std::uint64_t name_space, std::uint64_t user,
                             const TokenMark& token, std::uint64_t channel,
                             std::int64_t now) const;

  // Writing.

  /// False: it is full of what still holds, and not complete any more.
  [[nodiscard]] bool add(const Revocation& revocation, std::int64_t now);

  /// Whether `revocation` would change nothing.
  [[nodiscard]] bool covers(const Revocation& revocation) const;

  struct Stats {
    std::uint64_t entries = 0;
    std::uint64_t room = 0;
  };
  /// At `now`; looks at all.
  [[nodiscard]] Stats stats(std::int64_t now) const;

  /// Forgets what has had its time, where that is worth it.
  void sweep(std::int64_t now);

 private:
  struct Head;
  struct Entry {
    std::atomic<std::uint64_t> key;   // 0: empty, and the end of a chain
    std::atomic<std::uint64_t> word;  // before, until; 0: says nothing
  };
  /// Of what a revocation names; 0: nothing.
  struct Named {
    std::uint64_t name_space;
    std::uint64_t token;
    std::uint64_t user;
    std::uint64_t channel;
  };

  [[nodiscard]] std::span<Entry> half(std::uint64_t index) const;
  [[nodiscard]] std::span<Entry> used() const;
  [[nodiscard]] std::uint64_t key(const Named& named) const;
  [[nodiscard]] Named named(const Revocation& revocation) const;
  static std::size_t kind(const Named& named);
  /// Where `key` is, or would be; null: there is no room.
  static Entry* place(std::span<Entry> entries, std::uint64_t key);
  /// Its word; 0: there is none.
  [[nodiscard]] std::uint64_t find(std::uint64_t key) const;
  [[nodiscard]] bool finds(const Named& named, const TokenMark& token,
                           std::int64_t now) const;
  [[nodiscard]] bool finds_any(Named named, const TokenMark& token,
                               std::int64_t now) const;
  void compact(std::int64_t now);

  Head* head_ = nullptr;
  std::span<Entry> entries_;  // both halves
};

/// Of a token that was shown. `all`: null: nothing can be revoked.
[[nodiscard]] TokenMark mark_of(const Revocations* all, const Token& token);

}  // namespace paperboy::auth
