#include "broker/shm_keys.hpp"

#include <string>

#include "broker/shm_hash.hpp"

namespace paperboy::broker::shm {

void Keys::format() {
  for (std::uint64_t i = 0; i < view_.geometry().key_buckets; i++) {
    view_.key_buckets()[i] = 0;
  }
  header() = KeysHeader{};
  const auto& key = view_.header().directory.hash_key;
  header().hash_key[0] = siphash(key, "first half of the second key");
  header().hash_key[1] = siphash(key, "second half of the second key");
}

/// Where the name ends is told by its length.
Keys::Hash Keys::hash(Bytes channel, Bytes key) const {
  std::string both = std::to_string(channel.size()) + ":";
  both.append(channel).append(key);
  return {siphash(view_.header().directory.hash_key, both),
          siphash(header().hash_key, both)};
}

std::optional<Position> Keys::find(const Hash& hash, std::uint64_t now) {
  for (Ref ref = bucket(hash[0]); ref != 0;) {
    const KeyEntry& it = entry(ref);
    const Ref next = it.next;
    if (it.expires_at <= now) {
      drop(ref);
    } else if (it.hash[0] == hash[0] && it.hash[1] == hash[1]) {
      return it.position;
    }
    ref = next;
  }
  return {};
}

bool Keys::add(Transaction& tx, const Hash& hash, const Position& position,
               std::uint64_t expires_at) {
  const auto block = arena_.allocate(tx, sizeof(KeyEntry));
  if (!block) return false;
  KeysHeader& all = header();
  entry(*block) = {.hash = {hash[0], hash[1]},
                   .position = position,
                   .expires_at = expires_at,
                   .next = bucket(hash[0]),
                   .newer = 0,
                   .older = all.newest,
                   .unused = 0};
  step();
  tx.set(bucket(hash[0]), *block);
  tx.set(all.newest != 0 ? entry(all.newest).newer : all.oldest, *block);
  tx.set(all.newest, *block);
  tx.set(all.keys, all.keys + 1);
  return true;
}

bool Keys::expire(std::uint64_t now, std::size_t most) {
  bool any = false;
  for (; most > 0 && header().oldest != 0; most--) {
    if (entry(header().oldest).expires_at > now) break;
    drop(header().oldest);
    any = true;
  }
  return any;
}

Ref& Keys::bucket(std::uint64_t hash) const {
  return view_.key_buckets()[hash & (view_.geometry().key_buckets - 1)];
}

void Keys::drop(Ref ref) {
  const KeyEntry& it = entry(ref);
  Ref* link = &bucket(it.hash[0]);
  while (*link != ref) link = &entry(*link).next;
  KeysHeader& all = header();
  Transaction tx(view_);
  tx.set(*link, it.next);
  tx.set(it.newer != 0 ? entry(it.newer).older : all.newest, it.older);
  tx.set(it.older != 0 ? entry(it.older).newer : all.oldest, it.newer);
  tx.set(all.keys, all.keys - 1);
  arena_.release(tx, ref);
  tx.commit();
}

}  // namespace paperboy::broker::shm
