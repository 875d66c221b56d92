#include "auth/verdict_cache.hpp"

#include <openssl/evp.h>

#include <array>
#include <utility>

namespace paperboy::auth {

namespace {

// Of nodes, hash tables and what an answer becomes, roughly.
constexpr std::size_t kOverhead = 512;

/// Cookies and tokens are in it, of which nothing is to be kept.
std::string hash_of(Bytes key) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (EVP_Digest(key.data(), key.size(), digest.data(), &size, EVP_sha256(),
                 nullptr) != 1) {
    return {};
  }
  return {reinterpret_cast<const char*>(digest.data()), size};
}

}  // namespace

std::shared_ptr<const Verdict> VerdictCache::find(Bytes key,
                                                  std::uint64_t now_ms) {
  const std::string hash = hash_of(key);
  const auto found = by_key_.find(hash);
  if (found == by_key_.end()) return nullptr;
  const auto entry = found->second;
  if (entry->until_ms <= now_ms) {
    drop(entry);
    return nullptr;
  }
  entries_.splice(entries_.begin(), entries_, entry);
  return entry->verdict;
}

void VerdictCache::put(Bytes key, std::shared_ptr<const Verdict> verdict,
                       std::uint64_t until_ms) {
  std::string hash = hash_of(key);
  if (hash.empty()) return;
  if (const auto found = by_key_.find(hash); found != by_key_.end()) {
    drop(found->second);
  }
  const std::size_t cost = kOverhead + verdict->size * 4;
  if (cost > room_) return;
  while (used_ + cost > room_) drop(std::prev(entries_.end()));
  entries_.push_front({std::move(hash), std::move(verdict), until_ms, cost});
  by_key_.emplace(entries_.front().key, entries_.begin());
  used_ += cost;
}

void VerdictCache::drop(Entries::iterator entry) {
  used_ -= entry->cost;
  by_key_.erase(entry->key);
  entries_.erase(entry);
}

}  // namespace paperboy::auth
