#include "auth/key_set.hpp"

#include <algorithm>
#include <utility>

namespace paperboy::auth {

void KeySource::replace(std::vector<Key> keys) {
  keys_ = std::move(keys);
  filled_ = true;
}

void KeySource::drop() {
  keys_.clear();
  filled_ = false;
}

bool KeySource::take_wanted() { return std::exchange(wanted_, false); }

Result<Done, std::string> KeySet::add(Key key) {
  const auto same_kid =
      std::count_if(keys_.begin(), keys_.end(),
                    [&](const Key& other) { return other.kid() == key.kid(); });
  if (!key.kid().empty() && same_kid > 0) {
    return "there is a key with kid \"" + key.kid() + "\" already";
  }
  if (key.kid().empty() && same_kid == kMaxUnnamed) {
    return std::string("there are 8 keys without a kid already: name them");
  }
  keys_.push_back(std::move(key));
  return Done{};
}

void KeySet::add(std::shared_ptr<KeySource> source) {
  sources_.push_back(std::move(source));
}

bool KeySet::waits_for(Algorithm algorithm) const {
  return std::ranges::any_of(sources_, [algorithm](const auto& source) {
    return source->waits_for(algorithm);
  });
}

std::vector<const Key*> KeySet::find(std::optional<Bytes> kid) const {
  std::vector<const Key*> found;
  if (kid && kid->empty()) {
    return found;  // a kid all the same, and no key has it
  }
  const auto look = [&](const std::vector<Key>& keys) {
    for (const Key& key : keys) {
      if (key.kid() == kid.value_or(Bytes())) found.push_back(&key);
    }
  };
  look(keys_);
  for (const auto& source : sources_) look(source->keys());
  if (found.empty() && kid) {
    for (const auto& source : sources_) source->want();
  }
  return found;
}

}  // namespace paperboy::auth
