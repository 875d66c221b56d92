#include "auth/revocations.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <limits>
#include <mutex>
#include <new>

#include "auth/opaque_token.hpp"
#include "base/robust_mutex.hpp"
#include "base/siphash.hpp"

namespace paperboy::auth {

namespace {

constexpr std::size_t kLine = 64;  // bytes
constexpr std::size_t kKinds = 8;

constexpr std::uint64_t word_of(std::uint32_t before, std::uint32_t until) {
  return std::uint64_t{before} << 32U | until;
}
constexpr auto before_of(std::uint64_t word) {
  return static_cast<std::uint32_t>(word >> 32U);
}
constexpr auto until_of(std::uint64_t word) {
  return static_cast<std::uint32_t>(word);
}
constexpr std::uint32_t issue_of(std::int64_t issued) {
  constexpr std::int64_t kMost = std::numeric_limits<std::uint32_t>::max();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(issued, 0, kMost));
}
constexpr bool is_over(std::uint64_t word, std::int64_t now) {
  return std::int64_t{until_of(word)} <= now;
}

}  // namespace

struct Revocations::Head {
  RobustMutex mutex;
  std::uint64_t secret[2];
  std::atomic<std::uint64_t> active;  // the half that is in use
  std::atomic<std::uint64_t> taken;   // entries of it, or less than before a
                                      // kill; 0: all are empty
  std::atomic<std::uint64_t> complete;
  // By what they name, so that nothing is looked for that nobody named.
  std::array<std::atomic<std::uint8_t>, kKinds> kinds;
};

std::size_t Revocations::size_for(std::size_t most) {
  const std::size_t entries = most + most / 2 + 8;
  return (sizeof(Head) + kLine - 1) / kLine * kLine +
         2 * entries * sizeof(Entry);
}

bool Revocations::format(std::span<std::byte> memory) {
  Head* const head = new (memory.data()) Head{};
  return RAND_bytes(reinterpret_cast<unsigned char*>(head->secret),
                    sizeof head->secret) == 1;
}

void Revocations::attach(std::span<std::byte> memory) {
  head_ = reinterpret_cast<Head*>(memory.data());
  const auto rest = memory.subspan((sizeof(Head) + kLine - 1) / kLine * kLine);
  entries_ = {reinterpret_cast<Entry*>(rest.data()),
              rest.size() / sizeof(Entry) / 2 * 2};
}

bool Revocations::complete() const {
  return attached() && head_->complete.load() != 0;
}

void Revocations::set_complete() { head_->complete.store(1); }

bool Revocations::empty() const {
  return !attached() || head_->taken.load(std::memory_order_acquire) == 0;
}

// ---- looking ---------------------------------------------------------------

std::uint64_t Revocations::number(Bytes text) const {
  if (!attached()) return 0;
  return std::max<std::uint64_t>(siphash(head_->secret, text), 1);
}

TokenMark Revocations::mark(Bytes id, std::int64_t issued) const {
  return {.id = id.empty() ? 0 : number(id),
          .issued = issue_of(issued),
          .known = true};
}

TokenMark mark_of(const Revocations* all, const Token& token) {
  if (token.opaque != 0) {
    return {.id = token.opaque,
            .issued = issue_of(token.issued),
            .known = true,
            .opaque = true};
  }
  return all != nullptr ? all->mark(token.id, token.issued) : TokenMark{};
}

std::uint64_t Revocations::key(const Named& named) const {
  return number({reinterpret_cast<const char*>(&named), sizeof named});
}

std::size_t Revocations::kind(const Named& named) {
  return (named.token != 0 ? 1U : 0U) | (named.user != 0 ? 2U : 0U) |
         (named.channel != 0 ? 4U : 0U);
}

std::span<Revocations::Entry> Revocations::half(std::uint64_t index) const {
  const std::size_t size = entries_.size() / 2;
  return entries_.subspan(index * size, size);
}

std::span<Revocations::Entry> Revocations::used() const {
  return half(head_->active.load(std::memory_order_acquire) % 2);
}

Revocations::Entry* Revocations::place(std::span<Entry> entries,
                                       std::uint64_t key) {
  for (std::size_t i = 0, at = key % entries.size(); i < entries.size(); ++i) {
    Entry& here = entries[at];
    const std::uint64_t there = here.key.load(std::memory_order_acquire);
    if (there == key || there == 0) return &here;
    if (++at == entries.size()) at = 0;
  }
  return nullptr;
}

/// While it looked the half may have been left, and be filled anew by now.
std::uint64_t Revocations::find(std::uint64_t key) const {
  while (true) {
    const std::uint64_t at = head_->active.load(std::memory_order_acquire);
    const Entry* const here = place(half(at % 2), key);
    const std::uint64_t word = here != nullptr ? here->word.load() : 0;
    std::atomic_thread_fence(std::memory_order_acquire);
    if (head_->active.load(std::memory_order_relaxed) == at) return word;
  }
}

bool Revocations::finds(const Named& named, const TokenMark& token,
                        std::int64_t now) const {
  if (head_->kinds[kind(named)].load(std::memory_order_acquire) == 0) {
    return false;
  }
  const std::uint64_t word = find(key(named));
  return !is_over(word, now) &&
         (token.issued == 0 || before_of(word) == Revocation::kAlways ||
          token.issued < before_of(word));
}

/// Revocations that name its id, its user, both, or neither.
bool Revocations::finds_any(Named named, const TokenMark& token,
                            std::int64_t now) const {
  const std::uint64_t user = named.user;
  for (const bool by_user : {true, false}) {
    named.user = by_user ? user : 0;
    named.token = 0;
    if (finds(named, token, now)) return true;
    named.token = token.id;
    if (token.id != 0 && finds(named, token, now)) return true;
  }
  return false;
}

bool Revocations::revokes(std::uint64_t name_space, std::uint64_t user,
                          const TokenMark& token, std::int64_t now) const {
  return token.known && !empty() &&
         finds_any({name_space, 0, user, 0}, token, now);
}

bool Revocations::revokes(std::uint64_t name_space, std::uint64_t user,
                          const TokenMark& token, std::uint64_t channel,
                          std::int64_t now) const {
  return token.known && !empty() &&
         (finds_any({name_space, 0, user, 0}, token, now) ||
          finds_any({name_space, 0, user, channel}, token, now));
}

// ---- writing ---------------------------------------------------------------

Revocations::Named Revocations::named(const Revocation& revocation) const {
  const auto some = [this](Bytes text) -> std::uint64_t {
    return text.empty() ? 0 : number(text);
  };
  // The id of an opaque token: it is known by what it is kept under.
  const auto kept = hash_of(revocation.name_space, revocation.token);
  return {.name_space = number(revocation.name_space),
          .token = kept ? kept->number() : some(revocation.token),
          .user = revocation.user ? number(*revocation.user) : 0,
          .channel = some(revocation.channel)};
}

/// Of two that name the same, what either says holds until both are over. A key
/// without its word, of one that was killed, says nothing.
bool Revocations::add(const Revocation& revocation, std::int64_t now) {
  if (std::int64_t{revocation.until} <= now) return true;
  const std::lock_guard guard(head_->mutex);
  const Named what = named(revocation);
  const std::uint64_t number = key(what);
  const std::size_t room = entries_.size() / 2;
  if (head_->taken.load() + room / 4 >= room) compact(now);
  Entry* const here = place(used(), number);
  const bool is_new = here == nullptr || here->key.load() == 0;
  if (here == nullptr || (is_new && head_->taken.load() + room / 4 >= room)) {
    head_->complete.store(0);
    return false;
  }
  std::uint64_t word = word_of(revocation.before, revocation.until);
  if (is_new) {
    head_->kinds[kind(what)].store(1, std::memory_order_release);
    head_->taken.fetch_add(1, std::memory_order_release);
    here->key.store(number, std::memory_order_release);
  } else if (const std::uint64_t old = here->word.load(); !is_over(old, now)) {
    word = word_of(std::max(before_of(old), revocation.before),
                   std::max(until_of(old), revocation.until));
  }
  here->word.store(word, std::memory_order_release);
  return true;
}

bool Revocations::covers(const Revocation& revocation) const {
  if (empty()) return false;
  const Entry* const here = place(used(), key(named(revocation)));
  if (here == nullptr) return false;
  const std::uint64_t word = here->word.load();
  return before_of(word) >= revocation.before &&
         until_of(word) >= revocation.until;
}

/// Who is killed in it has changed nothing but what nobody looks at.
void Revocations::compact(std::int64_t now) {
  const std::uint64_t from = head_->active.load();
  const auto to = half((from + 1) % 2);
  // Who still looks there sees that it was left, if it sees any of this.
  std::atomic_thread_fence(std::memory_order_release);
  for (Entry& entry : to) {
    entry.word.store(0, std::memory_order_relaxed);
    entry.key.store(0, std::memory_order_relaxed);
  }
  std::uint64_t taken = 0;
  for (const Entry& entry : used()) {
    const std::uint64_t number = entry.key.load();
    const std::uint64_t word = entry.word.load();
    if (number == 0 || is_over(word, now)) continue;
    Entry& there = *place(to, number);
    there.word.store(word, std::memory_order_relaxed);
    there.key.store(number, std::memory_order_relaxed);
    ++taken;
  }
  head_->active.store(from + 1, std::memory_order_release);
  head_->taken.store(taken, std::memory_order_release);
}

Revocations::Stats Revocations::stats(std::int64_t now) const {
  if (!attached()) return {};
  const auto all = used();
  const auto live = std::ranges::count_if(all, [now](const Entry& entry) {
    return !is_over(entry.word.load(std::memory_order_relaxed), now);
  });
  return {static_cast<std::uint64_t>(live), all.size() * 3 / 4};
}

void Revocations::sweep(std::int64_t now) {
  const std::lock_guard guard(head_->mutex);
  const std::uint64_t taken = head_->taken.load();
  if (taken != 0 && stats(now).entries * 2 <= taken) compact(now);
}

}  // namespace paperboy::auth
