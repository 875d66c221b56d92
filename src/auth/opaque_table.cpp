#include "auth/opaque_table.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <new>

#include "base/robust_mutex.hpp"

namespace paperboy::auth {

namespace {

constexpr std::size_t kLine = 64;           // bytes
constexpr std::size_t kAtOnce = 2048;       // records of one second
constexpr std::int64_t kQuiet = 60;         // seconds: so long nothing is said
constexpr std::int64_t kProbe = 5;          // seconds between two looks at it
constexpr std::int64_t kPatience = 10;      // and so long others have to say it
constexpr std::uint64_t kLeastKept = 1000;  // records

/// Publications of a history that has to have so many tokens.
constexpr std::uint64_t enough(std::uint32_t count) {
  return 4 * std::uint64_t{count} + kLeastKept;
}

constexpr std::size_t rounded(std::size_t size) {
  return (size + kLine - 1) / kLine * kLine;
}

/// More than may be good: others make some at the same time, and those that
/// have ended are remembered for a while.
constexpr std::size_t slots_for(std::uint32_t most) {
  return std::size_t{most} + most / 4 + 64;
}

constexpr bool is_over(std::int64_t expires, std::int64_t now) {
  return expires <= now;
}

}  // namespace

struct OpaqueTable::Head {
  RobustMutex mutex;
  std::uint32_t most;
  std::uint32_t size;
  std::uint64_t node;
  std::atomic<std::uint64_t> complete;
  std::atomic<std::uint32_t> count;  // of good ones; counted anew each second
  std::uint64_t cursor;              // where a free slot was last
  std::int64_t second;               // of the last `due`
  std::int64_t probed;               // the second of the last probe
  std::uint64_t epoch;               // of the history
  std::int64_t epoch_since;          // the second since when
  std::uint64_t top;                 // and where it was
  std::int64_t top_since;            // the second since when, or of a record
};

struct OpaqueTable::Round {
  std::int64_t now;
  bool tells;  // it is known where the history is
  bool anew;   // that is another one: nothing is in it
  bool late;   // and others have had their time
  std::uint64_t top;
  std::uint64_t kept;
  std::uint64_t needless;
  std::uint32_t count = 0;
  std::vector<TokenRecord> records{};
};

std::size_t OpaqueTable::size_for(const Limits& limits) {
  const std::size_t slots = slots_for(limits.most);
  return rounded(sizeof(Head)) +
         rounded(slots * sizeof(std::atomic<std::uint32_t>)) +
         rounded(slots * sizeof(Slot)) + slots * limits.size;
}

bool OpaqueTable::format(std::span<std::byte> memory, const Limits& limits) {
  const std::size_t claims = std::size_t{limits.size} * slots_for(limits.most);
  std::memset(memory.data(), 0, size_for(limits) - claims);
  Head* const head = new (memory.data()) Head{};
  head->most = limits.most;
  head->size = limits.size;
  const std::size_t slots = slots_for(limits.most);
  auto* const buckets = reinterpret_cast<std::atomic<std::uint32_t>*>(
      memory.data() + rounded(sizeof(Head)));
  for (std::size_t i = 0; i < slots; ++i) {
    buckets[i].store(kNone, std::memory_order_relaxed);
  }
  return RAND_bytes(reinterpret_cast<unsigned char*>(&head->node),
                    sizeof head->node) == 1;
}

void OpaqueTable::attach(std::span<std::byte> memory) {
  head_ = reinterpret_cast<Head*>(memory.data());
  const std::size_t slots = slots_for(head_->most);
  auto* at = memory.data() + rounded(sizeof(Head));
  buckets_ = {reinterpret_cast<std::atomic<std::uint32_t>*>(at), slots};
  at += rounded(buckets_.size_bytes());
  slots_ = {reinterpret_cast<Slot*>(at), slots};
  claims_ = at + rounded(slots_.size_bytes());
}

bool OpaqueTable::complete() const {
  return attached() && head_->complete.load() != 0;
}

void OpaqueTable::set_complete() { head_->complete.store(1); }

std::uint32_t OpaqueTable::count() const {
  return attached() ? head_->count.load() : 0;
}

std::uint64_t OpaqueTable::node() const { return head_->node; }

bool OpaqueTable::has_room() const { return count() < head_->most; }

bool OpaqueTable::fits(const TokenRecord& record) const {
  return record.claims.size() <= head_->size;
}

// ---- looking ---------------------------------------------------------------

std::uint32_t OpaqueTable::bucket_of(std::uint64_t number) const {
  return static_cast<std::uint32_t>(number % buckets_.size());
}

OpaqueTable::Slot* OpaqueTable::find(std::uint64_t number) const {
  std::uint32_t at = buckets_[bucket_of(number)].load();
  for (std::size_t i = 0; i < slots_.size() && at < slots_.size(); ++i) {
    Slot& here = slots_[at];
    const std::uint32_t state = here.state.load();
    if ((state == kGood || state == kEnded) && here.hash.number() == number) {
      return &here;
    }
    at = here.next.load();
  }
  return nullptr;
}

OpaqueTable::Slot* OpaqueTable::find(const TokenHash& hash) const {
  Slot* const here = find(hash.number());
  return here != nullptr && here->hash == hash ? here : nullptr;
}

Bytes OpaqueTable::claims_of(const Slot& slot) const {
  const auto index = static_cast<std::size_t>(&slot - slots_.data());
  return {reinterpret_cast<const char*>(claims_ + index * head_->size),
          std::min(slot.size, head_->size)};
}

TokenRecord OpaqueTable::record_of(const Slot& slot) const {
  const bool ended = slot.state.load() == kEnded;
  return {.kind = ended ? TokenRecord::Kind::end : TokenRecord::Kind::put,
          .hash = std::string(slot.hash.view()),
          .expires = slot.expires.load(),
          .node = head_->node,
          .issued = slot.issued,
          .sliding = slot.sliding,
          .claims = std::string(ended ? Bytes() : claims_of(slot))};
}

OpaqueTable::Found OpaqueTable::find(const TokenHash& hash,
                                     std::int64_t now) const {
  const std::lock_guard guard(head_->mutex);
  const Slot* const here = find(hash);
  if (here == nullptr || is_over(here->expires.load(), now)) return {};
  if (here->state.load() == kEnded) return {Standing::ended};
  return {Standing::good, record_of(*here)};
}

OpaqueTable::Kept OpaqueTable::keep(std::uint64_t number, std::int64_t now) {
  const std::lock_guard guard(head_->mutex);
  Slot* const here = find(number);
  if (here == nullptr || is_over(here->expires.load(), now)) {
    return {};
  }
  if (here->state.load() == kEnded) return {Standing::ended};
  const std::int64_t later = now + here->sliding;
  if (here->sliding != 0 && later > here->expires.load()) {
    here->expires.store(later);
  }
  return {Standing::good, here->expires.load(), here->sliding};
}

// ---- writing ---------------------------------------------------------------

OpaqueTable::Put OpaqueTable::put(const TokenRecord& record, const Position& at,
                                  std::int64_t now) {
  const auto hash = hash_from(record.hash);
  if (!hash || is_over(record.expires, now)) return Put::over;
  const std::lock_guard guard(head_->mutex);
  Slot* const here = find(*hash);
  if (here != nullptr && here->state.load() == kEnded) return Put::over;
  if (!fits(record)) return Put::full;
  const std::uint64_t offset = offset_of(at);
  if (here != nullptr) {
    here->expires.store(std::max(here->expires.load(), record.expires));
    here->told = std::max(here->told, record.expires);
    here->offset = std::max(here->offset, offset);
    here->ours = record.node == head_->node;
    return Put::done;
  }
  Slot* const made = room(now);
  if (made == nullptr) return Put::full;
  made->hash = *hash;
  fill(*made, record, offset);
  return Put::done;
}

/// In the history as it is known; 0: it isn't there.
std::uint64_t OpaqueTable::offset_of(const Position& at) {
  if (head_->epoch == 0) head_->epoch = at.epoch;
  return at.epoch == head_->epoch ? at.offset : 0;
}

/// In this order: whoever is killed in it leaves a slot that is being filled,
/// in a chain or not.
void OpaqueTable::fill(Slot& slot, const TokenRecord& record,
                       std::uint64_t offset) {
  slot.issued = record.issued;
  slot.expires.store(record.expires);
  slot.told = record.expires;
  slot.offset = offset;
  slot.ours = record.node == head_->node;
  slot.sliding = record.sliding;
  slot.size = static_cast<std::uint32_t>(record.claims.size());
  const auto index = static_cast<std::uint32_t>(&slot - slots_.data());
  std::memcpy(claims_ + std::size_t{index} * head_->size, record.claims.data(),
              record.claims.size());
  auto& bucket = buckets_[bucket_of(slot.hash.number())];
  slot.next.store(bucket.load());
  bucket.store(index);
  slot.state.store(kGood);
  head_->count.fetch_add(1);
}

/// A slot that nobody needs, being filled; where there is none, of those that
/// have ended the one that would be forgotten first. Null: all are needed.
OpaqueTable::Slot* OpaqueTable::room(std::int64_t now) {
  Slot* first = nullptr;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    head_->cursor = (head_->cursor + 1) % slots_.size();
    Slot& here = slots_[head_->cursor];
    const std::uint32_t state = here.state.load();
    if (state != kFree && is_over(here.expires.load(), now)) free(here);
    if (here.state.load() == kFree) {
      here.state.store(kFilling);
      return &here;
    }
    const bool sooner =
        first == nullptr || here.expires.load() < first->expires.load();
    if (state == kEnded && sooner) first = &here;
  }
  if (first == nullptr) return nullptr;
  head_->cursor = static_cast<std::size_t>(first - slots_.data());
  free(*first);
  first->state.store(kFilling);
  return first;
}

void OpaqueTable::free(Slot& slot) {
  unlink(slot);
  slot.state.store(kFree);
}

/// Does nothing to one that is in no chain.
void OpaqueTable::unlink(const Slot& slot) {
  const auto index = static_cast<std::uint32_t>(&slot - slots_.data());
  auto* at = &buckets_[bucket_of(slot.hash.number())];
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const std::uint32_t next = at->load();
    if (next >= slots_.size()) return;
    if (next == index) {
      at->store(slot.next.load());
      return;
    }
    at = &slots_[next].next;
  }
}

void OpaqueTable::prolong(const TokenHash& hash, std::int64_t expires) {
  const std::lock_guard guard(head_->mutex);
  Slot* const here = find(hash);
  if (here == nullptr || here->state.load() != kGood) return;
  here->expires.store(std::max(here->expires.load(), expires));
  here->told = std::max(here->told, expires);
}

bool OpaqueTable::end(const TokenHash& hash, const Position& at,
                      std::int64_t now) {
  const std::lock_guard guard(head_->mutex);
  Slot* const here = find(hash);
  if (here == nullptr || here->state.load() != kGood) return false;
  const bool was_good = !is_over(here->expires.load(), now);
  here->state.store(kEnded);
  here->expires.store(now + kMemory);
  here->offset = offset_of(at);
  if (head_->count.load() > 0) head_->count.fetch_sub(1);
  return was_good;
}

void OpaqueTable::confirm_end(const TokenHash& hash, const Position& upto) {
  const std::lock_guard guard(head_->mutex);
  Slot* const here = find(hash);
  if (here == nullptr || here->state.load() != kEnded) return;
  const bool behind = upto.epoch == head_->epoch && upto.offset <= here->offset;
  if (!behind) here->offset = 0;
}

// ---- once a second ---------------------------------------------------------

OpaqueTable::Due OpaqueTable::due(const Position& top, std::uint64_t kept,
                                  std::int64_t now) {
  const std::lock_guard guard(head_->mutex);
  if (head_->second == now) return {};
  head_->second = now;
  const bool tells = top.epoch != 0;
  const bool anew = tells && head_->epoch != 0 && head_->epoch != top.epoch;
  if (anew) head_->epoch_since = now;
  if (tells) head_->epoch = top.epoch;
  if (!tells || anew || head_->top != top.offset) {
    head_->top = top.offset;
    head_->top_since = now;
  }
  Round round{.now = now,
              .tells = tells,
              .anew = anew,
              .late = now - head_->epoch_since >= kPatience,
              .top = top.offset,
              .kept = std::min(kept, enough(head_->count.load())),
              .needless = tells && !anew ? top.offset : 0};
  for (Slot& slot : slots_) look_at(slot, round);
  head_->count.store(round.count);
  // A history of which nobody says anything is forgotten.
  const bool quiet = now - head_->top_since >= kQuiet;
  if (round.records.empty() && round.count != 0 && quiet) {
    const auto good = std::ranges::find_if(
        slots_, [](const Slot& slot) { return slot.state.load() == kGood; });
    round.records.push_back(record_of(*good));
  }
  if (!round.records.empty()) head_->top_since = now;
  return {std::move(round.records), round.needless};
}

/// Others wait longer than whoever said it last.
bool OpaqueTable::is_behind(const Slot& slot, const Round& round) {
  if (slot.offset == 0) return slot.ours || round.late;
  if (slot.state.load() != kGood || slot.offset > round.top) return false;
  const std::uint64_t behind = round.top - slot.offset;
  return behind > (slot.ours ? round.kept / 2 : round.kept / 4 * 3);
}

void OpaqueTable::look_at(Slot& slot, Round& round) {
  const std::uint32_t state = slot.state.load();
  if (state == kFree) return;
  const std::int64_t expires = slot.expires.load();
  if (state == kFilling || is_over(expires, round.now)) return free(slot);
  const bool good = state == kGood;
  if (good) ++round.count;
  if (round.anew) slot.offset = 0;
  if (good && slot.offset != 0) {
    round.needless = std::min(round.needless, slot.offset - 1);
  }
  // Till its end is told again, the one before has to stay.
  if (!good && slot.offset == 0) round.needless = 0;
  if (!round.tells || round.records.size() >= kAtOnce) return;
  // What others know has half its time left; or none, and they have forgotten
  // it.
  const bool late =
      good && expires > slot.told && slot.told - round.now <= slot.sliding / 2;
  const bool behind =
      is_behind(slot, round) || (late && slot.told <= round.now);
  if (!behind && !late) return;
  round.records.push_back(record_of(slot));
  slot.told = expires;
  if (behind) {
    slot.offset = std::max<std::uint64_t>(round.top, 1);
    return;
  }
  round.records.back().kind = TokenRecord::Kind::prolong;
  round.records.back().claims.clear();
}

bool OpaqueTable::begin_probe(std::int64_t now) {
  const std::lock_guard guard(head_->mutex);
  const bool early = now >= head_->probed && now - head_->probed < kProbe;
  if (head_->count.load() == 0 || early) return false;
  head_->probed = now;
  return true;
}

void OpaqueTable::lose_history(std::int64_t now) {
  const std::lock_guard guard(head_->mutex);
  head_->epoch_since = now;
  for (Slot& slot : slots_) slot.offset = 0;
}

void OpaqueTable::untold(const TokenRecord& record) {
  const auto hash = hash_from(record.hash);
  if (!hash) return;
  const std::lock_guard guard(head_->mutex);
  Slot* const here = find(*hash);
  if (here == nullptr) return;
  here->told = 0;
  if (record.kind != TokenRecord::Kind::prolong) here->offset = 0;
}

}  // namespace paperboy::auth
