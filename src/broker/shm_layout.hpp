// The format of a zone. Everything lies at a multiple of 64 bytes from its
// start, and says where else something lies by offset, never by address.
//
//   zone    := header bucket{buckets} bucket{key_buckets} seat{seats}
//              page{pages} arena log
//   bucket  := u32 ref of the first channel, or key, of its chain
//   arena   := (16 KiB){pages}, each cut into blocks of one size class
//   block   := channel | interest{n}, those of a channel that has several
//            | annex, of a channel that remembers something
//            | kept | chunk, a message and what is beyond its first block
//            | key
//            | member, in pages that hold nothing else
//   log     := a ring of bytes; see shm_log.hpp
//
// A ref is an offset in units of 16 bytes; 0 is none. The header's first
// words never change meaning, so that any version can refuse any other's zone.
//
// Plain fields are read and written under the writer lock only, and written
// through a Transaction (shm_lock.hpp). std::atomic ones are read without it;
// each says who writes it.
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "base/counters.hpp"
#include "broker/shm_types.hpp"

namespace paperboy::broker::shm {

using Ref = std::uint32_t;
using AtomicWord = std::atomic<std::uint64_t>;
static_assert(AtomicWord::is_always_lock_free);

inline constexpr std::uint64_t kMagic = 0x31796f6272657061;  // "aperboy1"
inline constexpr std::uint32_t kVersion = 9;
inline constexpr std::size_t kRefUnit = 16;
inline constexpr std::size_t kPageSize = 16'384;

/// Sizes of blocks. Each page holds blocks of one of them.
inline constexpr std::array<std::uint16_t, 16> kClasses = {
    64,  80,  96,  112, 128,  160,  192,  256,
    320, 384, 512, 768, 1024, 1536, 2048, 4096};
inline constexpr std::size_t kMaxBlock = kClasses.back();

/// What a page's blocks are for. Where a block of a page for members is taken,
/// a member is: so a ref that may be out of date can be looked at. Those of the
/// reserve are for withdrawals for which there is no other room: nobody else
/// gets the rest of their pages.
enum class Use : std::uint8_t { any, member, reserve };
inline constexpr std::size_t kUses = 3;

// --- the writer lock and what undoes a half-done change ---------------------

struct JournalEntry {
  std::uint64_t where = 0;  // offset in the zone | bytes (1 to 8) << 56
  std::uint64_t old = 0;    // those bytes, before
};

struct Journal {
  static constexpr std::size_t kCapacity = 128;

  std::atomic<std::uint32_t> count;  // > 0: a change is under way
  JournalEntry entries[kCapacity];
};

// --- seats -------------------------------------------------------------------

/// The word of a seat on which writers and its reader meet; shm_log.hpp.
namespace state {
inline constexpr std::uint64_t kBusy = 1;  // something is to be read
inline constexpr std::uint64_t kMore = 2;  // and more came since it looked
inline constexpr std::uint64_t kFlags = 31;
}  // namespace state

struct alignas(64) Seat {
  pthread_mutex_t alive;     // held by its worker for the worker's whole life
  std::uint32_t generation;  // 1 more for each worker that takes it
  std::uint32_t taken;       // 1 from claim to release or reaping
  std::uint32_t pid;         // for humans; no decision rests on it
  AtomicWord last_seen;      // ms; its worker's, and claim's

  alignas(64) AtomicWord state;
  Ref first_member;  // whom its present worker brought in
  Ref last_member;
  AtomicWord relay;  // its worker's: generation << 1 | 1, if it relays; or 0

  alignas(64) AtomicWord counters[kCounters];  // its worker's; gauges first
};

// --- the arena ---------------------------------------------------------------

struct Page {
  std::uint32_t next;  // index + 1 in the list of its class, or of free pages
  std::uint32_t previous;
  std::uint16_t size_class;  // index + 1 in kClasses; 0: free
  std::uint16_t used;        // blocks
  Use use;
  std::uint64_t taken[4];  // a bit a block
};

struct ArenaHeader {
  std::uint32_t free_pages;  // index + 1 of the first
  std::uint32_t free_count;
  std::uint64_t used_bytes;
  // The first page with a free block.
  std::uint32_t partial[kUses][kClasses.size()];
};

// --- the directory -----------------------------------------------------------

/// One seat's interest in one channel, in a word, so that one store changes
/// it: seat (12 bits), its generation (24), how many subscriptions (28).
using Interest = std::uint64_t;

/// Small, since a zone has them by the million, most of which one worker wants:
/// fields that are never of use at once share their place, and `form` says
/// which it is. The name follows at once, at kChannelSize: with the blocks of
/// 64, 80 and 96 bytes, names of up to 22, 38 and 54 bytes.
struct Channel {
  std::uint64_t epoch;    // 0: it has no position yet; then
  std::uint64_t offset;   // this is a mark of who sees to that, or 0
  Interest only;          // kMany: a ref, to a block of interests
  Ref next;               // in the chain of its bucket
  Ref newer;              // in the order of use
  Ref older;              // the same; kAnnex: a ref to its annex, and no order
  std::uint16_t used_at;  // when it became the newest; seconds, wraps
  std::uint16_t interests;
  std::uint16_t form;  // the name's length, kTold, kMany, kAnnex

  static constexpr std::uint16_t kLength = 0x07FF;
  static constexpr std::uint16_t kTold = 0x2000;  // that it has subscribers
  static constexpr std::uint16_t kMany = 0x4000;
  static constexpr std::uint16_t kAnnex = 0x8000;

  [[nodiscard]] Ref annex() const { return (form & kAnnex) != 0 ? older : 0; }
  [[nodiscard]] Ref many() const {
    return (form & kMany) != 0 ? static_cast<Ref>(only) : 0;
  }
};
inline constexpr std::size_t kChannelSize =
    offsetof(Channel, form) + sizeof(Channel::form);
static_assert(kChannelSize == 42);
static_assert(kMaxName <= Channel::kLength);

/// What only channels have that remember something. There is none that is
/// empty.
struct Annex {
  Ref first;  // what is kept: the oldest
  Ref last;
  std::uint32_t kept;
  std::uint32_t keep_count;  // the rule, as the last publication brought it
  std::uint64_t kept_bytes;  // of data and extra
  std::uint64_t keep_bytes;
  std::uint64_t keep_ms;
  Ref newest_member;
  std::uint32_t members;
  std::uint64_t mark;  // another, when what is kept doesn't go on from before

  [[nodiscard]] bool empty() const { return first == 0 && newest_member == 0; }
};
static_assert(sizeof(Annex) <= 64);

struct DirectoryHeader {
  std::uint64_t hash_key[2];
  std::uint64_t epoch_base;
  std::uint64_t epoch_count;
  std::uint64_t channels;
  std::uint64_t own;    // of them Paperboy's own: their names begin with a NUL
  std::uint64_t marks;  // the last that was given
  // See shm_occupancy.hpp.
  std::uint64_t watched;     // 1: the node's workers are to tell changes
  std::uint64_t changes;     // the last one's number
  std::uint64_t round_at;    // the next bucket
  std::uint64_t round_left;  // buckets
  Ref newest;
  Ref oldest;
};

// --- the log -----------------------------------------------------------------

/// Positions count bytes since the zone was made; where one lies in the ring
/// is its remainder by the ring's size.
struct LogHeader {
  std::uint64_t end;            // committed
  std::uint64_t last;           // start of the last record
  AtomicWord announced;         // up to here seats were told; writers'
  alignas(64) AtomicWord tail;  // up to here it may be read; writers'
  alignas(64) AtomicWord head;  // from here it can be read; writers'
};

/// 32 bytes, at a multiple of 32, followed by name, data and extra.
struct Record {
  static constexpr std::size_t kAlign = 32;
  static constexpr std::uint8_t kPadding = 255;  // for `kind`

  ChannelRef ref;
  std::uint32_t data_length;  // of padding: all of it, header included
  std::uint16_t name_length;
  std::uint16_t extra_length;
  std::uint8_t kind;
  std::uint8_t event;
  std::uint16_t unused;
  Position position;

  /// All of it, a multiple of 32.
  [[nodiscard]] constexpr std::uint64_t size() const {
    return kind == kPadding
               ? data_length
               : aligned(sizeof(Record) + name_length +
                         std::uint64_t{data_length} + extra_length);
  }
  [[nodiscard]] static constexpr std::uint64_t aligned(std::uint64_t size) {
    return (size + kAlign - 1) / kAlign * kAlign;
  }
};
static_assert(sizeof(Record) == Record::kAlign);

// --- history -----------------------------------------------------------------

/// A publication that is kept, followed by data and extra, or as much of them
/// as one block takes.
struct KeptMessage {
  std::uint64_t offset;
  std::uint64_t made_at;  // time of the zone, ms
  ChannelRef channel;
  Ref next;  // in its channel
  Ref previous;
  Ref newer;  // of all channels
  Ref older;
  Ref more;  // the first chunk of the rest
  std::uint32_t data_length;
  std::uint16_t extra_length;
  std::uint8_t kind;
  std::uint8_t evict;  // kEvicts, kPinned

  static constexpr std::uint8_t kEvicts = 1;  // its rule lets the oldest go
  static constexpr std::uint8_t kPinned = 2;  // it isn't among those of all
};
static_assert(sizeof(KeptMessage) == 48);

/// Followed by bytes, up to the end of its block or of the message.
struct Chunk {
  Ref next;
  std::uint32_t unused;
};

struct HistoryHeader {
  Ref oldest;  // of all channels
  Ref newest;
  Ref building;  // chunks of a message that is not kept yet
  Ref doomed;    // chunks of one that is not kept any more
  std::uint64_t kept;
  std::uint64_t used;      // bytes of the blocks of all this
  std::uint64_t pinned;    // of them of what is pinned
  std::uint64_t swept;     // the bucket where the next sweep begins
  std::uint64_t swept_at;  // time of the zone, seconds
};

// --- idempotency keys --------------------------------------------------------

struct KeyEntry {
  std::uint64_t hash[2];  // of channel and key
  Position position;
  std::uint64_t expires_at;  // time of the zone, ms
  Ref next;                  // in the chain of its bucket
  Ref newer;                 // of all keys
  Ref older;
  std::uint32_t unused;
};
static_assert(sizeof(KeyEntry) <= 64);

struct KeysHeader {
  std::uint64_t
      hash_key[2];  // of the second half; the first is the directory's
  std::uint64_t keys;
  Ref newest;
  Ref oldest;
};

// --- presence ----------------------------------------------------------------

/// Followed by client, user, conn_info and chan_info.
struct MemberEntry {
  std::uint64_t serial;  // grows by one with each that enters, of all channels
  ChannelRef channel;
  Ref newer;  // in its channel
  Ref older;
  Ref next;  // of its seat, or of the orphans once its worker is gone
  Ref previous;
  std::uint32_t generation;  // of the seat, when it entered
  SeatIndex seat;
  std::uint16_t client_length;
  std::uint16_t user_length;
  std::uint16_t conn_info_length;
  std::uint16_t chan_info_length;
  std::uint8_t announced;
  std::uint8_t unused;
};
static_assert(sizeof(MemberEntry) == 48);

struct MembersHeader {
  std::uint64_t serial;  // the last that was given
  std::uint64_t members;
  Ref orphans;  // members of workers that are gone
};

// --- what was seen elsewhere -------------------------------------------------

/// See shm_sightings.hpp.
struct SightingEntry {
  std::uint64_t generation;  // 0: nothing was seen, and all the others are 0
  std::uint64_t salt;
  std::uint64_t source;
  std::uint64_t top;  // mark << 48 | sequence; also raised without the lock
};

// --- the zone ----------------------------------------------------------------

/// See shm_geometry.hpp.
struct Geometry {
  std::uint64_t size;
  std::uint64_t buckets;      // a power of two
  std::uint64_t key_buckets;  // the same
  std::uint64_t seats;
  std::uint64_t pages;
  std::uint64_t log_size;
  std::uint64_t history_size;
  std::uint64_t buckets_at;  // offsets
  std::uint64_t key_buckets_at;
  std::uint64_t seats_at;
  std::uint64_t pages_at;
  std::uint64_t arena_at;
  std::uint64_t log_at;

  friend bool operator==(const Geometry&, const Geometry&) = default;
};

struct Header {
  AtomicWord magic;  // stored last: before, it is no zone
  std::uint32_t version;
  std::uint32_t counters;  // in each seat
  Geometry geometry;
  std::uint64_t stall_limit_ms;
  std::uint64_t time_base;  // time of the zone - monotonic time, ms; wraps

  alignas(64) pthread_mutex_t writer;
  AtomicWord lock_waits;  // these count events; relaxed
  AtomicWord rollbacks;
  AtomicWord evictions;
  AtomicWord history_evictions;
  AtomicWord overruns;
  Journal journal;
  ArenaHeader arena;
  DirectoryHeader directory;
  HistoryHeader history;
  KeysHeader keys;
  MembersHeader members;
  SightingEntry sightings[kSightings];
  LogHeader log;
};

/// The zone as this process sees it. The header has been checked, so that all
/// offsets in it are inside.
class View {
 public:
  explicit View(std::byte* base) : base_(base) {}

  [[nodiscard]] Header& header() const { return *at<Header>(0); }
  [[nodiscard]] const Geometry& geometry() const { return header().geometry; }
  [[nodiscard]] Ref* buckets() const { return at<Ref>(geometry().buckets_at); }
  [[nodiscard]] Ref* key_buckets() const {
    return at<Ref>(geometry().key_buckets_at);
  }
  [[nodiscard]] Seat& seat(SeatIndex index) const {
    return at<Seat>(geometry().seats_at)[index];
  }
  [[nodiscard]] Page* pages() const { return at<Page>(geometry().pages_at); }
  [[nodiscard]] std::byte* log() const { return base_ + geometry().log_at; }

  template <typename T>
  [[nodiscard]] T* at(std::uint64_t offset) const {
    return reinterpret_cast<T*>(base_ + offset);
  }
  template <typename T>
  [[nodiscard]] T* block(Ref ref) const {
    return at<T>(std::uint64_t{ref} * kRefUnit);
  }
  [[nodiscard]] std::uint64_t offset_of(const void* p) const {
    return static_cast<std::uint64_t>(static_cast<const std::byte*>(p) - base_);
  }

 private:
  std::byte* base_;
};

}  // namespace paperboy::broker::shm
