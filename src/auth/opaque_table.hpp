// The opaque tokens of a node, in memory that all its workers share, and those
// after a reload: what each opens, and until when, under its hash.
//
// Everything is done under one lock, which is free again when one that held it
// is killed: whatever it left is good to look at and to go on with. A use costs
// two looks, and each a few loads.
//
//   memory = head buckets slots claims
//
// A bucket is the first slot of a chain. A free slot is in none; one that is
// being filled says so until it is in one.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "auth/opaque_token.hpp"
#include "base/position.hpp"
#include "base/token_record.hpp"

namespace paperboy::auth {

class OpaqueTable {
 public:
  struct Limits {
    std::uint32_t most = 10'000;  // tokens that are good
    std::uint32_t size = 1024;    // bytes of what one opens
  };

  /// So long one that was ended is told from one that never was.
  static constexpr std::int64_t kMemory = 600;  // seconds

  [[nodiscard]] static std::size_t size_for(const Limits& limits);

  /// Makes an empty table of `memory`, which is aligned to 64 bytes. False:
  /// there is no randomness to make it with. REQUIRES: size_for(limits) bytes.
  static bool format(std::span<std::byte> memory, const Limits& limits);

  /// Knows of none until it is attached.
  OpaqueTable() = default;
  OpaqueTable(const OpaqueTable&) = delete;
  OpaqueTable& operator=(const OpaqueTable&) = delete;

  /// To a formatted one, which must outlive this.
  void attach(std::span<std::byte> memory);
  [[nodiscard]] bool attached() const { return head_ != nullptr; }

  /// Whether those that were there before this node are in it, too.
  [[nodiscard]] bool complete() const;
  void set_complete();

  enum class Standing : std::uint8_t { unknown, ended, good };

  struct Found {
    Standing standing = Standing::unknown;  // an expired one is unknown
    TokenRecord record{};                   // of a good one
  };
  [[nodiscard]] Found find(const TokenHash& hash, std::int64_t now) const;

  struct Kept {
    Standing standing = Standing::unknown;
    std::int64_t expires = 0;   // of a good one
    std::uint32_t sliding = 0;  // of that
  };
  /// It is used, or what it opened is still open: prolongs it where that is its
  /// way.
  Kept keep(std::uint64_t number, std::int64_t now);

  /// Whether one more may be made.
  [[nodiscard]] bool has_room() const;
  [[nodiscard]] bool fits(const TokenRecord& record) const;

  enum class Put : std::uint8_t {
    done,
    over,  // it has ended, or expired: it stays so
    full,  // or its claims are too large
  };
  /// `at`: of the publication that says so, or an earlier one; in another epoch
  /// than the history's it is nowhere, and told again.
  Put put(const TokenRecord& record, const Position& at, std::int64_t now);
  void prolong(const TokenHash& hash, std::int64_t expires);
  /// True: it was good. `at`: as above.
  bool end(const TokenHash& hash, const Position& at, std::int64_t now);
  /// That there is one was said, up to there. Has its end told again, if that
  /// may stand before: it would be let go first.
  void confirm_end(const TokenHash& hash, const Position& upto);

  /// What the history has to be told, so that it has all that are good, and
  /// other nodes know until when: once a second, to whoever asks first. `top`:
  /// of the channel; of epoch 0: it isn't known, and nothing is to be told.
  /// `kept`: publications that it keeps at most; where few are good, fewer are
  /// made to do. The node that said it last says it again; should that be gone,
  /// after a while all others do. Frees what is over.
  struct Due {
    std::vector<TokenRecord> records{};
    std::uint64_t needless = 0;  // what the history has up to this offset
  };
  Due due(const Position& top, std::uint64_t kept, std::int64_t now);
  /// That couldn't be told.
  void untold(const TokenRecord& record);

  /// Whether it is time to look whether the history is still there: for whoever
  /// asks first.
  bool begin_probe(std::int64_t now);
  /// It isn't, or is another: it has to be told all.
  void lose_history(std::int64_t now);

  [[nodiscard]] std::uint32_t count() const;  // as of the last second

  /// Whose it is, among others: at random.
  [[nodiscard]] std::uint64_t node() const;

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  enum State : std::uint32_t { kFree, kFilling, kGood, kEnded };

  struct Head;
  struct Slot {
    std::atomic<std::uint32_t> state;
    std::atomic<std::uint32_t> next;  // in its chain; kNone: the last
    TokenHash hash;
    std::int64_t issued;
    std::atomic<std::int64_t> expires;  // of an ended one: it is forgotten
    std::int64_t told;     // the end that other nodes know; 0: nothing
    std::uint64_t offset;  // in the history; 0: it isn't there
    std::uint32_t sliding;
    std::uint32_t size;  // of its claims
    bool ours;           // this node has said last that there is one
  };
  struct Round;  // of `due`

  [[nodiscard]] std::uint32_t bucket_of(std::uint64_t number) const;
  [[nodiscard]] Slot* find(std::uint64_t number) const;
  [[nodiscard]] Slot* find(const TokenHash& hash) const;
  [[nodiscard]] Bytes claims_of(const Slot& slot) const;
  [[nodiscard]] TokenRecord record_of(const Slot& slot) const;
  std::uint64_t offset_of(const Position& at);
  Slot* room(std::int64_t now);
  void fill(Slot& slot, const TokenRecord& record, std::uint64_t offset);
  void free(Slot& slot);
  void unlink(const Slot& slot);
  void look_at(Slot& slot, Round& round);
  static bool is_behind(const Slot& slot, const Round& round);

  Head* head_ = nullptr;
  std::span<std::atomic<std::uint32_t>> buckets_;
  std::span<Slot> slots_;
  std::byte* claims_ = nullptr;
};

}  // namespace paperboy::auth
