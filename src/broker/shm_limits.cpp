#include "broker/shm_limits.hpp"

#include <algorithm>
#include <new>

#include <openssl/rand.h>

#include "broker/shm_hash.hpp"

namespace paperboy::broker::shm {

/// The secret keeps who may choose keys from choosing their places.
struct Limits::Head {
  alignas(64) std::uint64_t secret[2];
  Counts::Head counts;
};

namespace {

template <typename T>
std::span<T> view(std::span<std::byte> memory) {
  return {reinterpret_cast<T*>(memory.data()), memory.size() / sizeof(T)};
}

/// What is behind the head: half of it each.
std::span<std::byte> half(std::span<std::byte> memory, std::size_t head,
                          std::size_t which) {
  const auto rest = memory.subspan(head);
  const std::size_t size = rest.size() / 2 / 64 * 64;
  return rest.subspan(which * size, size);
}

}  // namespace

bool Limits::format(std::span<std::byte> memory) {
  static_assert(sizeof(Head) < kLeast / 2);
  Head* const head = new (memory.data()) Head{};
  Counts::format(head->counts);
  return RAND_bytes(reinterpret_cast<unsigned char*>(head->secret),
                    sizeof head->secret) == 1;
}

Limits::Limits(std::span<std::byte> memory)
    : head_(*reinterpret_cast<Head*>(memory.data())),
      rates_(view<Rates::Bucket>(half(memory, sizeof(Head), 0))),
      counts_(head_.counts,
              view<Counts::Entry>(half(memory, sizeof(Head), 1))) {}

Mark Limits::mark(Bytes text) const {
  return std::max<Mark>(siphash(head_.secret, text), 1);
}

}  // namespace paperboy::broker::shm
