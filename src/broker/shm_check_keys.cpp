#include "broker/shm_check_keys.hpp"

namespace paperboy::broker::shm {

const char* check_keys(View view, const Arena& arena,
                       std::unordered_set<Ref>& reached) {
  const KeysHeader& all = view.header().keys;
  const std::uint64_t buckets = view.geometry().key_buckets;
  std::unordered_set<Ref> found;
  for (std::uint64_t b = 0; b < buckets; b++) {
    for (Ref ref = view.key_buckets()[b]; ref != 0;
         ref = view.block<KeyEntry>(ref)->next) {
      if (!arena.is_taken(ref) || !reached.insert(ref).second) {
        return "keys: bad link";
      }
      const KeyEntry& it = *view.block<KeyEntry>(ref);
      if ((it.hash[0] & (buckets - 1)) != b || it.position.offset == 0) {
        return "keys: one that doesn't belong";
      }
      found.insert(ref);
    }
  }
  if (found.size() != all.keys) return "keys: bad count";
  Ref older = 0;
  for (Ref ref = all.oldest; ref != 0; ref = view.block<KeyEntry>(ref)->newer) {
    if (found.erase(ref) == 0 || view.block<KeyEntry>(ref)->older != older) {
      return "order of keys: bad link";
    }
    older = ref;
  }
  return found.empty() && all.newest == older ? nullptr
                                              : "order of keys: incomplete";
}

}  // namespace paperboy::broker::shm
