#include "auth/claims.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace paperboy::auth {

namespace {

using Checked = Result<Done, TokenError>;

// A NumericDate (RFC 7519 section 2): a number, fractions allowed. Doubles
// hold seconds exactly for 285 million years, and beyond only order matters.
struct Times {
  std::optional<double> expiry;
  std::optional<double> not_before;
  std::optional<double> issued;
};

Checked read_time(const Json& claims, Bytes name, std::optional<double>& out) {
  const Json claim = claims.get(name);
  out = claim.as_number();
  if (claim && !out) {
    return TokenError::claims;
  }
  return Done{};
}

std::int64_t rounded_up(double seconds) {
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  const double up = std::ceil(seconds);
  return up >= static_cast<double>(kMax) ? kMax : static_cast<std::int64_t>(up);
}

// RFC 7519 sections 4.1.4 to 4.1.6. A token issued in the future is one whose
// issuer's clock, or ours, is wrong by more than the leeway.
Checked check_times(const Json& claims, const TokenRules& rules,
                    std::int64_t now, Token& token) {
  Times times;
  if (!read_time(claims, "exp", times.expiry) ||
      !read_time(claims, "nbf", times.not_before) ||
      !read_time(claims, "iat", times.issued) ||
      (rules.expiry_required && !times.expiry)) {
    return TokenError::claims;
  }
  const auto here = static_cast<double>(now);
  const double leeway = rules.leeway_seconds;
  if (times.expiry) {
    if (here >= *times.expiry + leeway) {
      return TokenError::expired;
    }
    token.expires = rounded_up(*times.expiry + leeway);
  }
  if (times.not_before.value_or(here) > here + leeway ||
      times.issued.value_or(here) > here + leeway) {
    return TokenError::not_yet_valid;
  }
  return Done{};
}

// RFC 7519 section 4.1.3: one audience, or an array of them.
bool meant_for(const Json& audience, const std::vector<std::string>& ours) {
  const auto is_ours = [&](const Json& one) {
    return one.is_string() &&
           std::find(ours.begin(), ours.end(), one.as_string()) != ours.end();
  };
  for (std::size_t i = 0; i < (audience.is_array() ? audience.size() : 0);
       ++i) {
    if (is_ours(audience.at(i))) {
      return true;
    }
  }
  return is_ours(audience);
}

Checked check_parties(const Json& claims, const TokenRules& rules) {
  const Json issuer = claims.get("iss");
  if (!rules.issuer.empty() &&
      (!issuer.is_string() || issuer.as_string() != rules.issuer)) {
    return TokenError::issuer;
  }
  if (!rules.audiences.empty() &&
      !meant_for(claims.get("aud"), rules.audiences)) {
    return TokenError::audience;
  }
  return Done{};
}

// Ids are strings, and in many applications numbers.
std::optional<std::string> id_text(const Json& claim) {
  if (claim.is_string()) {
    return std::string(claim.as_string());
  }
  if (const auto number = claim.as_integer()) {
    return std::to_string(*number);
  }
  return std::nullopt;
}

Checked read_ids(const Json& claims, const TokenRules& rules, Token& token) {
  const auto read = [&](Bytes name, std::string& out) {
    auto text = id_text(claims.get(name));
    if (text) {
      out = std::move(*text);
      return true;
    }
    return false;
  };
  if (claims.get("jti") && !read("jti", token.id)) {
    return TokenError::claims;
  }
  for (const std::string& name : rules.user_claims) {
    if (claims.get(name)) {
      return read(name, token.user) ? Checked(Done{})
                                    : Checked(TokenError::claims);
    }
  }
  return Done{};
}

// Calls `take` with the string, or with each of an array of strings. False
// when there is anything else, or when `take` refuses.
template <typename Take>
bool each_string(const Json& claim, Take take) {
  if (claim.is_string()) {
    return take(claim.as_string());
  }
  if (!claim.is_array()) {
    return false;
  }
  for (std::size_t i = 0; i < claim.size(); ++i) {
    const Json one = claim.at(i);
    if (!one.is_string() || !take(one.as_string())) {
      return false;
    }
  }
  return true;
}

void add_scope(Bytes word, Grants& grants) {
  if (word == "subscribe") {
    grants.add_scope(Scope::subscribe);
  } else if (word == "publish" || word == "broadcast") {
    grants.add_scope(Scope::publish);
  } else if (word == "history") {
    grants.add_scope(Scope::history);
  } else if (word == "presence") {
    grants.add_scope(Scope::presence);
  }
}

// Words with one space between them (RFC 6749 section 3.3), or several.
bool add_scopes(Bytes words, Grants& grants) {
  while (!words.empty()) {
    const std::size_t space = std::min(words.find(' '), words.size());
    add_scope(words.substr(0, space), grants);
    words.remove_prefix(std::min(space + 1, words.size()));
  }
  return true;
}

Checked read_grants(const Json& claims, const TokenRules& rules,
                    Grants& grants) {
  for (const std::string& name : rules.channel_claims) {
    const Json claim = claims.get(name);
    if (!claim) {
      continue;
    }
    grants.name_channels();
    if (!each_string(claim, [&](Bytes pattern) {
          return grants.add_channel(pattern);
        })) {
      return TokenError::claims;
    }
  }
  const Json scope = claims.get(rules.scope_claim);
  if (!scope) {
    grants.add_scope(Scope::subscribe);
  } else if (!each_string(scope, [&](Bytes words) {
               return add_scopes(words, grants);
             })) {
    return TokenError::claims;
  }
  return Done{};
}

}  // namespace

Result<Token, TokenError> read_claims(const Json& claims,
                                      const TokenRules& rules,
                                      std::int64_t now) {
  Token token;
  if (auto times = check_times(claims, rules, now, token); !times) {
    return times.error();
  }
  if (auto parties = check_parties(claims, rules); !parties) {
    return parties.error();
  }
  if (auto ids = read_ids(claims, rules, token); !ids) {
    return ids.error();
  }
  if (auto granted = read_grants(claims, rules, token.grants); !granted) {
    return granted.error();
  }
  return token;
}

}  // namespace paperboy::auth
