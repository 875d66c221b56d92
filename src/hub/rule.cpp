#include "hub/rule.hpp"

#include <algorithm>

namespace paperboy::hub {

void Rule::apply_to(Draft& draft) const {
  draft.keep = keep;
  draft.replicas = replicas;
  draft.replicas_ms = replicas_ms;
  draft.best_effort = best_effort;
}

bool opens(const Rule& rule, Access who, Bytes name, Bytes user) {
  constexpr Bytes kEnds = ":/";
  if (who == Access::any) return true;
  if (user.empty()) return false;
  if (who == Access::user) return true;
  if (who != Access::own || user.find_first_of(kEnds) != Bytes::npos) {
    return false;
  }
  const Bytes rest =
      name.substr(std::min<std::size_t>(rule.prefix, name.size()));
  return rest.starts_with(user) &&
         (rest.size() == user.size() ||
          kEnds.find(rest[user.size()]) != Bytes::npos);
}

bool RuleSet::add(Bytes pattern, const Rule& rule) {
  if (pattern.empty()) return false;
  if (pattern.back() != '*') {
    return exact_.emplace(pattern, rule).second;
  }
  pattern.remove_suffix(1);
  const auto [at, added] = prefixes_.emplace(pattern, rule);
  if (added) at->second.prefix = static_cast<std::uint32_t>(pattern.size());
  return added;
}

/// Of the prefixes in order, those of a name are not beyond it, and a longer
/// one comes after a shorter; so each step back either finds one or cuts the
/// name to what it shares with its neighbour.
const Rule& RuleSet::find(Bytes name) const {
  if (!exact_.empty()) {
    const auto found = exact_.find(std::string(name));
    if (found != exact_.end()) return found->second;
  }
  auto after = prefixes_.upper_bound(name);
  while (after != prefixes_.begin()) {
    const auto& [prefix, rule] = *--after;
    if (name.starts_with(prefix)) return rule;
    std::size_t shared = 0;
    while (shared < prefix.size() && shared < name.size() &&
           prefix[shared] == name[shared]) {
      ++shared;
    }
    name = name.substr(0, shared);
    after = prefixes_.upper_bound(name);
  }
  return built_in_;
}

}  // namespace paperboy::hub
