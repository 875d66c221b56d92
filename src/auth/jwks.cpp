// jwks = { "keys": [ jwk, ... ] }
#include "auth/jwks.hpp"

#include <algorithm>

#include "auth/jwk.hpp"
#include "auth/key_set.hpp"
#include "base/json.hpp"

namespace paperboy::auth {

namespace {

constexpr std::size_t kDepth = 16;

/// A log line's words for the key at `index`.
std::string label(const Json& jwk, std::size_t index) {
  std::string text = "key " + std::to_string(index + 1);
  const Json kid = jwk.get("kid");
  if (!kid.is_string()) return text;
  std::string name(kid.as_string().substr(0, 64));
  std::ranges::replace_if(
      name, [](char c) { return c < ' ' || c > '~' || c == '"'; }, '?');
  return text + " (kid \"" + name + "\")";
}

/// Empty: it has its place beside the others.
std::string why_too_many(const std::vector<Key>& keys, const Key& key) {
  const auto same = std::ranges::count_if(keys, [&](const Key& other) {
    return other.kid() == key.kid() &&
           (key.kid().empty() || other.algorithm() == key.algorithm());
  });
  if (!key.kid().empty() && same > 0) {
    return "another before it has its kid and algorithm";
  }
  if (key.kid().empty() && same == KeySet::kMaxUnnamed) {
    return "8 others without a kid stand before it";
  }
  return {};
}

void add(Jwks& set, const Json& jwk, std::size_t index, bool secrets) {
  auto key = jwk.is_object() ? read_jwk(jwk, secrets)
                             : Result<Key, std::string>("it is no object");
  std::string why = key ? why_too_many(set.keys, *key) : key.error();
  if (why.empty()) {
    set.keys.push_back(std::move(*key));
  } else {
    set.skipped.push_back(label(jwk, index) + ": " + why);
  }
}

}  // namespace

Result<Jwks, std::string> read_jwks(Bytes text, const JwksLimits& limits) {
  if (text.size() > limits.size) {
    return "it is larger than " + std::to_string(limits.size) + " bytes";
  }
  const auto json = Json::parse(text, {.depth = kDepth, .size = limits.size});
  if (!json || !json->is_object() || !json->get("keys").is_array()) {
    return std::string("it is no JSON object with an array \"keys\"");
  }
  const Json keys = json->get("keys");
  if (keys.size() > limits.keys) {
    return "it has more than " + std::to_string(limits.keys) + " keys";
  }
  Jwks set;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    add(set, keys.at(i), i, limits.secrets);
  }
  return set;
}

std::string why_no_key(const Jwks& set) {
  if (!set.keys.empty()) return {};
  return set.skipped.empty()
             ? std::string("it has no keys")
             : "it has no key that can be used; " + set.skipped.front();
}

}  // namespace paperboy::auth
