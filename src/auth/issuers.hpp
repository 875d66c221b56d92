// Who makes tokens, with which keys, and what is asked of a token beside a good
// signature.
#pragma once

#include <string>
#include <vector>

#include "auth/key_set.hpp"
#include "base/json.hpp"

namespace paperboy::auth {

/// What is asked of a token, and which claim is which. Owned by the
/// configuration.
struct TokenRules {
  std::string issuer;                  // `iss` must be this; empty: any
  std::vector<std::string> audiences;  // one must be in `aud`; none: any
  int leeway_seconds = 0;              // for `exp`, `nbf` and `iat`
  bool expiry_required = false;        // a token without `exp` is refused
  bool user_required = false;          // and one that names no user

  /// The first that a token has names its user: a string or an integer.
  std::vector<std::string> user_claims = {"sub", "userId", "user_id"};

  /// All that a token has add up: each a pattern of channels (see Grants) or
  /// an array of them.
  std::vector<std::string> channel_claims = {"channel", "channels", "topic",
                                             "topics"};

  /// Words between spaces, or an array of them: subscribe, publish (broadcast
  /// says the same), history, presence; others are somebody else's. The first
  /// that a token has counts. A token without may subscribe, and nothing else.
  std::vector<std::string> scope_claims = {"scope"};
  bool scope_required = false;  // without the claim it may nothing

  std::string info_claim = "info";  // JSON for others to see

  /// How much its bearer may (allowance.hpp); empty: no token says so.
  std::string limits_claim;

  /// A second end beside `exp`, whose earlier one counts; empty: there is none.
  std::string expiry_claim;

  /// Names are exact, a `*` is a character like any other, and `subs` and
  /// `caps` are somebody else's. A token that names no channels is for none.
  bool exact = false;
};

struct Issuer {
  const KeySet* keys;
  const TokenRules* rules;
};

/// All that a location believes; what they point at must outlive them.
class Issuers {
 public:
  /// Believes nobody.
  Issuers() = default;

  /// Every token is of these keys, whatever issuer it names.
  Issuers(const KeySet& keys, const TokenRules& rules)
      : issuers_{{&keys, &rules}}, by_name_(false) {}

  /// Tokens whose `iss` is `rules.issuer`. REQUIRES: not made of keys.
  void add(const KeySet& keys, const TokenRules& rules) {
    issuers_.push_back({&keys, &rules});
  }

  [[nodiscard]] bool empty() const { return issuers_.empty(); }

  /// Whose the token of these claims says it is; null: nobody's of these.
  [[nodiscard]] const Issuer* find(const Json& claims) const;

 private:
  std::vector<Issuer> issuers_;
  bool by_name_ = true;
};

}  // namespace paperboy::auth
