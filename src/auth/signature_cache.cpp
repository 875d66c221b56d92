#include "auth/signature_cache.hpp"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>

namespace paperboy::auth {

namespace {

constexpr std::size_t kSecret = 32;  // bytes

struct Free {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

}  // namespace

/// The secret keeps who may choose tokens from choosing their marks.
struct SignatureCache::Head {
  alignas(64) std::array<unsigned char, kSecret> secret;
  alignas(64) std::atomic<std::uint64_t> hits;
  std::atomic<std::uint64_t> misses;
};

bool SignatureCache::format(std::span<std::byte> memory) {
  Head* const head = new (memory.data()) Head{};
  return RAND_bytes(head->secret.data(), kSecret) == 1;
}

void SignatureCache::attach(std::span<std::byte> memory) {
  head_ = reinterpret_cast<Head*>(memory.data());
  const auto rest = memory.subspan(sizeof(Head));
  buckets_ = {reinterpret_cast<Bucket*>(rest.data()),
              rest.size() / sizeof(Bucket)};
}

SignatureCache::Mark SignatureCache::mark(const KeyDigest& key,
                                          Bytes token) const {
  // Else each digest would begin with looking it up.
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  Mark mark{};
  if (context && EVP_DigestInit_ex(context.get(), sha256, nullptr) == 1 &&
      EVP_DigestUpdate(context.get(), head_->secret.data(), kSecret) == 1 &&
      EVP_DigestUpdate(context.get(), key.data(), key.size()) == 1 &&
      EVP_DigestUpdate(context.get(), token.data(), token.size()) == 1 &&
      EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1) {
    std::memcpy(mark.data(), digest.data(), sizeof mark);
  }
  return mark;
}

SignatureCache::Bucket& SignatureCache::bucket(const Mark& mark) const {
  return buckets_[mark[0] % buckets_.size()];
}

bool SignatureCache::holds(const KeyDigest& key, Bytes token) {
  if (!attached()) return false;
  const Mark wanted = mark(key, token);
  constexpr auto kAny = std::memory_order_relaxed;
  const bool found =
      wanted != Mark{} &&
      std::ranges::any_of(bucket(wanted), [&](const Entry& entry) {
        return entry.first.load(kAny) == wanted[0] &&
               entry.second.load(kAny) == wanted[1];
      });
  (found ? head_->hits : head_->misses).fetch_add(1, kAny);
  return found;
}

/// Where a bucket is full, chance decides which of it goes.
void SignatureCache::keep(const KeyDigest& key, Bytes token) {
  if (!attached()) return;
  const Mark made = mark(key, token);
  if (made == Mark{}) return;
  constexpr auto kAny = std::memory_order_relaxed;
  Bucket& here = bucket(made);
  auto* place = std::ranges::find_if(
      here, [](const Entry& entry) { return entry.second.load(kAny) == 0; });
  if (place == here.end()) place = &here[made[1] % kBucket];
  place->first.store(made[0], kAny);
  place->second.store(made[1], kAny);
}

SignatureCache::Stats SignatureCache::stats() const {
  if (!attached()) return {};
  return {head_->hits.load(std::memory_order_relaxed),
          head_->misses.load(std::memory_order_relaxed),
          buckets_.size() * kBucket};
}

}  // namespace paperboy::auth
