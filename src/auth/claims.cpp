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

bool has_second_end(const Json& claims, const TokenRules& rules) {
  return !rules.expiry_claim.empty() && bool(claims.get(rules.expiry_claim));
}

// An end that another claim than `exp` names.
Checked check_second_end(const Json& claims, const TokenRules& rules,
                         std::int64_t now, Token& token) {
  std::optional<double> end;
  if (rules.expiry_claim.empty()) return Done{};
  if (!read_time(claims, rules.expiry_claim, end)) return TokenError::claims;
  if (!end) return Done{};
  const double last = *end + rules.leeway_seconds;
  if (static_cast<double>(now) >= last) return TokenError::expired;
  token.expires =
      std::min(token.expires.value_or(rounded_up(last)), rounded_up(last));
  return Done{};
}

// RFC 7519 sections 4.1.4 to 4.1.6. A token issued in the future is one whose
// issuer's clock, or ours, is wrong by more than the leeway.
Checked check_times(const Json& claims, const TokenRules& rules,
                    std::int64_t now, Token& token) {
  Times times;
  if (!read_time(claims, "exp", times.expiry) ||
      !read_time(claims, "nbf", times.not_before) ||
      !read_time(claims, "iat", times.issued) ||
      (rules.expiry_required && !times.expiry &&
       !has_second_end(claims, rules))) {
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
  if (auto second = check_second_end(claims, rules, now, token); !second) {
    return second;
  }
  std::optional<double> end;
  if (!read_time(claims, "expire_at", end)) return TokenError::claims;
  if (end && *end <= 0) {
    token.expires.reset();
  } else if (end) {
    if (here >= *end) return TokenError::expired;
    token.expires = rounded_up(*end);
  }
  if (times.not_before.value_or(here) > here + leeway ||
      times.issued.value_or(here) > here + leeway) {
    return TokenError::not_yet_valid;
  }
  token.issued = static_cast<std::int64_t>(
      std::max(0.0, std::floor(times.issued.value_or(0))));
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
  return rules.user_required ? Checked(TokenError::claims) : Checked(Done{});
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

/// A channel's pattern in which `{user}` stands for the token's user.
struct Pattern {
  std::string text;  // empty: it needs a user, and there is none
  bool exact;        // a `*` at its end is the user's
};

Pattern expanded(Bytes pattern, Bytes user) {
  constexpr Bytes kUser = "{user}";
  Pattern made{{}, false};
  while (true) {
    const std::size_t at = pattern.find(kUser);
    if (at == Bytes::npos) break;
    if (user.empty()) return {{}, true};
    made.text.append(pattern.substr(0, at)).append(user);
    made.exact = true;
    pattern.remove_prefix(at + kUser.size());
  }
  made.text.append(pattern);
  made.exact = made.exact && !pattern.ends_with('*');
  return made;
}

Checked read_grants(const Json& claims, const TokenRules& rules, Bytes user,
                    Grants& grants) {
  for (const std::string& name : rules.channel_claims) {
    const Json claim = claims.get(name);
    if (!claim) {
      continue;
    }
    grants.name_channels();
    if (!each_string(claim, [&](Bytes text) {
          if (rules.exact || text.empty()) return grants.add_channel(text);
          const Pattern pattern = expanded(text, user);
          return pattern.text.empty() ||
                 grants.add_channel(pattern.text, pattern.exact);
        })) {
      return TokenError::claims;
    }
  }
  if (rules.exact) {
    grants.name_exactly();
    grants.name_channels();
  }
  const auto name = std::ranges::find_if(
      rules.scope_claims,
      [&](const auto& one) { return bool(claims.get(one)); });
  const Json scope =
      name == rules.scope_claims.end() ? Json() : claims.get(*name);
  if (!scope) {
    if (!rules.scope_required) grants.add_scope(Scope::subscribe);
  } else if (!each_string(scope, [&](Bytes words) {
               return add_scopes(words, grants);
             })) {
    return TokenError::claims;
  }
  return Done{};
}

/// The claim of a token for one channel.
Bytes channel_claim(const TokenRules& rules) {
  const auto& names = rules.channel_claims;
  return names.empty() || std::ranges::count(names, "channel") > 0
             ? Bytes("channel")
             : Bytes(names.front());
}

// Centrifugo's claims for what a connection begins with and may.

/// `channels`: names to subscribe to; a pattern only permits.
void read_channels(const Json& claims, Token& token) {
  const Json channels = claims.get("channels");
  for (std::size_t i = 0; i < (channels.is_array() ? channels.size() : 0);
       ++i) {
    const Json name = channels.at(i);
    if (name.as_string().ends_with('*')) continue;
    Pattern pattern = expanded(name.as_string(), token.user);
    if (pattern.text.empty()) continue;
    token.subscriptions.push_back({std::move(pattern.text), {}});
  }
}

/// `subs`: an object of options by channel.
Checked read_subs(const Json& claims, Token& token) {
  const Json subs = claims.get("subs");
  if (subs && !subs.is_object()) return TokenError::claims;
  for (const auto& [channel, options] : subs.members()) {
    if (!options.is_object() ||
        !token.grants.add(Scope::subscribe, channel, /*exact=*/true)) {
      return TokenError::claims;
    }
    const Json data = options.get("data");
    token.subscriptions.push_back({channel, data ? data.dump() : ""});
  }
  return Done{};
}

std::optional<Scope> capability(Bytes word) {
  if (word == "sub") return Scope::subscribe;
  if (word == "pub") return Scope::publish;
  if (word == "hst") return Scope::history;
  if (word == "prs") return Scope::presence;
  return {};
}

/// One object of `caps`: what is allowed in which channels.
Checked read_capability(const Json& one, Bytes user, Grants& grants) {
  const Json match = one.get("match");
  const Json channels = one.get("channels");
  const bool exact = !match || match.as_string().empty();
  // A regular expression that is passed over would grant less than was meant,
  // and nobody would know why.
  if ((!exact && match.as_string() != "wildcard") || !channels.is_array()) {
    return TokenError::claims;
  }
  const auto grant = [&](Bytes word) {
    const auto scope = capability(word);
    return !scope || each_string(channels, [&](Bytes text) {
      if (text.empty()) return false;
      const Pattern pattern = expanded(text, user);
      return pattern.text.empty() ||
             grants.add(*scope, pattern.text, exact || pattern.exact);
    });
  };
  return each_string(one.get("allow"), grant) ? Checked(Done{})
                                              : Checked(TokenError::claims);
}

Checked read_caps(const Json& claims, Bytes user, Grants& grants) {
  const Json caps = claims.get("caps");
  return !caps || read_capabilities(caps, user, grants)
             ? Checked(Done{})
             : Checked(TokenError::claims);
}

Checked read_limits(const Json& claims, const TokenRules& rules,
                    Allowance& limits) {
  const Json claim =
      rules.limits_claim.empty() ? Json() : claims.get(rules.limits_claim);
  if (!claim) return Done{};
  const auto read = read_allowance(claim);
  if (!read) return TokenError::limits;
  limits = *read;
  return Done{};
}

}  // namespace

bool read_capabilities(const Json& caps, Bytes user, Grants& grants) {
  if (!caps.is_array()) return false;
  grants.name_channels();
  for (std::size_t i = 0; i < caps.size(); ++i) {
    if (!read_capability(caps.at(i), user, grants)) return false;
  }
  return true;
}

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
  if (auto granted = read_grants(claims, rules, token.user, token.grants);
      !granted) {
    return granted.error();
  }
  if (auto limits = read_limits(claims, rules, token.limits); !limits) {
    return limits.error();
  }
  token.channel = claims.get(channel_claim(rules)).as_string();
  if (!rules.exact) token.channel = expanded(token.channel, token.user).text;
  if (const Json info = claims.get(rules.info_claim); info && !info.is_null()) {
    token.info = info.dump();
  }
  if (rules.exact) return token;
  read_channels(claims, token);
  if (auto subs = read_subs(claims, token); !subs) {
    return subs.error();
  }
  if (auto caps = read_caps(claims, token.user, token.grants); !caps) {
    return caps.error();
  }
  return token;
}

}  // namespace paperboy::auth
