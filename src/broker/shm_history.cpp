#include "broker/shm_history.hpp"

#include <algorithm>
#include <cstring>

#include "broker/shm_geometry.hpp"

namespace paperboy::broker::shm {

namespace {

constexpr std::size_t kHead = kMaxBlock - sizeof(KeptMessage);
constexpr std::size_t kBody = kMaxBlock - sizeof(Chunk);

constexpr std::size_t kSweepDrops = 128;  // at most, by one sweep

std::size_t length(const Draft& draft) {
  return draft.data.size() + draft.extra.size();
}

/// Data and extra are one run of bytes, of which `n` from `from` are copied.
void copy_in(std::byte* to, const Draft& draft, std::size_t from,
             std::size_t n) {
  for (const Bytes part : {draft.data, draft.extra}) {
    const std::size_t skipped = std::min(from, part.size());
    const std::size_t taken = std::min(n, part.size() - skipped);
    if (taken != 0) std::memcpy(to, part.data() + skipped, taken);
    to += taken;
    n -= taken;
    from -= skipped;
  }
  step();
}

/// The same the other way round: the next `n` bytes.
void copy_out(const std::byte* from, std::size_t n, std::string& data,
              std::size_t data_length, std::string& extra) {
  const auto* text = reinterpret_cast<const char*>(from);
  const std::size_t first = std::min(n, data_length - data.size());
  data.append(text, first);
  extra.append(text + first, n - first);
}

}  // namespace

Chunks::Chunks(const Draft& given)
    : draft(given),
      number((std::max(length(given), kHead) - kHead + kBody - 1) / kBody) {}

void History::format() { header() = HistoryHeader{}; }

void History::recover() {
  free_chunks(header().building);
  free_chunks(header().doomed);
}

std::uint64_t History::cost(const Draft& draft) { return cost(length(draft)); }

std::uint64_t History::cost(const KeptMessage& kept) {
  return cost(kept.data_length + std::size_t{kept.extra_length});
}

std::uint64_t History::cost(std::size_t all) {
  if (all <= kHead) return Arena::block_for(sizeof(KeptMessage) + all);
  const std::size_t rest = all - kHead;
  const std::size_t last = rest % kBody;
  return (1 + rest / kBody) * kMaxBlock +
         (last != 0 ? Arena::block_for(sizeof(Chunk) + last) : 0);
}

bool History::has_room(std::uint64_t cost, Use use) const {
  const Geometry& zone = view_.geometry();
  const std::uint64_t reserve =
      use == Use::reserve ? reserve_pages(zone) * kPageSize : 0;
  return header().used + cost <= zone.history_size + reserve;
}

bool History::may_pin(std::uint64_t cost) const {
  return header().pinned + cost <= view_.geometry().history_size / 2;
}

bool History::build(Chunks& chunks, Use use) {
  const std::size_t all = length(chunks.draft);
  for (; chunks.built < chunks.number; chunks.built++) {
    const std::size_t from = kHead + (chunks.number - 1 - chunks.built) * kBody;
    const std::size_t n = std::min(all - from, kBody);
    Transaction tx(view_);
    const auto block = arena_.allocate(tx, sizeof(Chunk) + n, use);
    if (!block) return false;
    auto* chunk = view_.block<Chunk>(*block);
    *chunk = {header().building, 0};
    copy_in(reinterpret_cast<std::byte*>(chunk + 1), chunks.draft, from, n);
    count(tx, *block);
    tx.set(header().building, *block);
    tx.commit();
  }
  return true;
}

bool History::keep(Transaction& tx, ChannelRef ref, const Draft& draft,
                   std::uint64_t offset, std::uint64_t now, Use use) {
  Annex* const annex = order_.need_annex(tx, ref, use);
  if (annex == nullptr) return false;
  const std::size_t n = std::min(length(draft), kHead);
  const auto block = arena_.allocate(tx, sizeof(KeptMessage) + n, use);
  if (!block) return false;
  KeptMessage& it = kept(*block);
  it = {.offset = offset,
        .made_at = now,
        .channel = ref,
        .next = 0,
        .previous = annex->last,
        .newer = 0,
        .older = 0,
        .more = header().building,
        .data_length = static_cast<std::uint32_t>(draft.data.size()),
        .extra_length = static_cast<std::uint16_t>(draft.extra.size()),
        .kind = static_cast<std::uint8_t>(draft.kind),
        .evict = flags(draft, *annex)};
  copy_in(reinterpret_cast<std::byte*>(&it + 1), draft, 0, n);
  count(tx, *block);
  link(tx, *annex, *block);
  note_rule(tx, *annex, draft.keep);
  if (header().building != 0) tx.set(header().building, 0);
  return true;
}

bool History::trim(ChannelRef ref, std::uint64_t now, std::size_t most) {
  for (; most > 0; most--) {
    const Annex* const annex = order_.annex(ref);
    if (annex == nullptr || annex->first == 0 || !beyond_rule(*annex, now)) {
      return true;
    }
    drop_first(ref);
  }
  return false;
}

bool History::forget(ChannelRef ref, std::uint64_t offset, std::size_t most) {
  for (; most > 0; most--) {
    const Annex* const annex = order_.annex(ref);
    if (annex == nullptr || annex->first == 0 ||
        kept(annex->first).offset > offset) {
      return true;
    }
    drop_first(ref);
  }
  return false;
}

bool History::oldest_expired(std::uint64_t now) const {
  return oldest() != 0 && expired(*order_.annex(kept(oldest()).channel), now);
}

void History::drop_first(ChannelRef ref) {
  Annex& annex = *order_.annex(ref);
  const Ref first = annex.first;
  const KeptMessage& it = kept(first);
  HistoryHeader& all = header();
  Transaction tx(view_);
  tx.set(annex.first, it.next);
  tx.set(it.next != 0 ? kept(it.next).previous : annex.last, 0);
  if (!is_pinned(it)) {
    tx.set(it.older != 0 ? kept(it.older).newer : all.oldest, it.newer);
    tx.set(it.newer != 0 ? kept(it.newer).older : all.newest, it.older);
  } else {
    tx.set(all.pinned, all.pinned - cost(it));
  }
  tx.set(annex.kept, annex.kept - 1);
  tx.set(annex.kept_bytes, annex.kept_bytes - it.data_length - it.extra_length);
  tx.set(all.kept, all.kept - 1);
  if (it.more != 0) tx.set(all.doomed, it.more);
  discount(tx, first);
  order_.drop_empty_annex(tx, ref);
  tx.commit();
  free_chunks(all.doomed);
}

void History::sweep(std::uint64_t now, std::uint64_t buckets) {
  std::size_t drops = kSweepDrops;
  for (; drops > 0 && oldest_expired(now); drops--) {
    drop_first(kept(oldest()).channel);
  }
  if (header().kept == 0) return;
  const std::uint64_t all = view_.geometry().buckets;
  std::uint64_t at = header().swept;
  const std::uint64_t end = std::min(all, at + buckets);
  while (at < end && sweep_bucket(at, now, drops)) at++;
  Transaction tx(view_);
  tx.set(header().swept, at % all);
  tx.commit();
}

void History::read(const KeptMessage& kept, std::string& data,
                   std::string& extra) const {
  std::size_t left = kept.data_length + std::size_t{kept.extra_length};
  data.reserve(kept.data_length);
  extra.reserve(kept.extra_length);
  const std::size_t n = std::min(left, kHead);
  copy_out(reinterpret_cast<const std::byte*>(&kept + 1), n, data,
           kept.data_length, extra);
  left -= n;
  for (Ref more = kept.more; left > 0;) {
    const auto* chunk = view_.block<Chunk>(more);
    const std::size_t m = std::min(left, kBody);
    copy_out(reinterpret_cast<const std::byte*>(chunk + 1), m, data,
             kept.data_length, extra);
    left -= m;
    more = chunk->next;
  }
}

/// The oldest of a channel is over its age.
bool History::expired(const Annex& annex, std::uint64_t now) const {
  const std::uint64_t made_at = kept(annex.first).made_at;
  return annex.keep_ms != 0 && now > made_at && now - made_at >= annex.keep_ms;
}

bool History::beyond_rule(const Annex& annex, std::uint64_t now) const {
  return annex.kept > annex.keep_count ||
         (annex.keep_bytes != 0 && annex.kept_bytes > annex.keep_bytes) ||
         expired(annex, now);
}

void History::count(Transaction& tx, Ref block) {
  tx.set(header().used, header().used + arena_.block_size(block));
}

/// And frees it.
void History::discount(Transaction& tx, Ref block) {
  tx.set(header().used, header().used - arena_.block_size(block));
  arena_.release(tx, block);
}

std::uint8_t History::flags(const Draft& draft, const Annex& annex) const {
  const bool pinned =
      annex.last != 0 ? is_pinned(kept(annex.last)) : draft.keep.pinned;
  return static_cast<std::uint8_t>(
      (draft.keep.evict ? KeptMessage::kEvicts : 0) |
      (pinned ? KeptMessage::kPinned : 0));
}

/// As the newest of its channel and, unless it is pinned, of all.
void History::link(Transaction& tx, Annex& annex, Ref ref) {
  KeptMessage& it = kept(ref);
  HistoryHeader& all = header();
  tx.set(annex.last != 0 ? kept(annex.last).next : annex.first, ref);
  tx.set(annex.last, ref);
  if (!is_pinned(it)) {
    it.older = all.newest;  // nothing refers to it yet
    tx.set(all.newest != 0 ? kept(all.newest).newer : all.oldest, ref);
    tx.set(all.newest, ref);
  } else {
    tx.set(all.pinned, all.pinned + cost(it));
  }
  tx.set(annex.kept, annex.kept + 1);
  tx.set(annex.kept_bytes, annex.kept_bytes + it.data_length + it.extra_length);
  tx.set(all.kept, all.kept + 1);
}

void History::note_rule(Transaction& tx, Annex& annex, const Retention& keep) {
  if (annex.keep_count != keep.count) tx.set(annex.keep_count, keep.count);
  if (annex.keep_bytes != keep.bytes) tx.set(annex.keep_bytes, keep.bytes);
  if (annex.keep_ms != keep.age_ms) tx.set(annex.keep_ms, keep.age_ms);
}

void History::free_chunks(Ref& list) {
  while (list != 0) {
    const Ref block = list;
    Transaction tx(view_);
    tx.set(list, view_.block<Chunk>(block)->next);
    discount(tx, block);
    tx.commit();
  }
}

/// False: the drops are used up.
bool History::sweep_bucket(std::uint64_t bucket, std::uint64_t now,
                           std::size_t& drops) {
  for (Ref ref = view_.buckets()[bucket]; ref != 0;
       ref = view_.block<Channel>(ref)->next) {
    const Annex* annex = order_.annex(ref);
    for (; annex != nullptr && annex->first != 0 && expired(*annex, now);
         annex = order_.annex(ref)) {
      if (drops == 0) return false;
      drop_first(ref);
      drops--;
    }
  }
  return true;
}

}  // namespace paperboy::broker::shm
