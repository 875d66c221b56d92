// token = header "." payload "." signature   (RFC 7515 section 7.1)
//
// each part base64url; header and payload are JSON objects.
#include "auth/jwt.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "auth/base64url.hpp"
#include "auth/claims.hpp"
#include "auth/signature.hpp"
#include "base/json.hpp"

namespace paperboy::auth {

namespace {

constexpr JsonLimits kJsonLimits{.depth = 16, .size = kMaxTokenSize};

struct Parts {
  Bytes header;
  Bytes payload;
  Bytes signature;
};

struct Header {
  Algorithm algorithm;
  std::optional<std::string> kid;
};

std::optional<Parts> split(Bytes token) {
  const std::size_t first = token.find('.');
  const std::size_t last = token.rfind('.');
  if (first == last || token.find('.', first + 1) != last) {
    return std::nullopt;
  }
  Parts parts{token.substr(0, first), token.substr(first + 1, last - first - 1),
              token.substr(last + 1)};
  if (parts.header.empty() || parts.payload.empty()) {
    return std::nullopt;
  }
  return parts;
}

std::optional<Json> object_of(Bytes part) {
  const auto text = base64url_decode(part);
  if (!text) {
    return std::nullopt;
  }
  auto json = Json::parse(*text, kJsonLimits);
  if (!json || !json->is_object()) {
    return std::nullopt;
  }
  return std::move(json).value();
}

std::string lower_case(Bytes text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) {
    return static_cast<char>(std::tolower(c));
  });
  return out;
}

// RFC 8725 section 3.11: a token made for something else is no token here.
bool is_known_typ(const Json& typ) {
  const std::string name = lower_case(typ.as_string());
  return !typ || name == "jwt" || name == "at+jwt";
}

// `crit` names extensions that must be understood: none is (RFC 7515 section
// 4.1.11). The others change what the parts are, whether it names them or not
// (RFC 7797; RFC 7516 section 4.1).
bool is_read_otherwise(const Json& header) {
  return std::ranges::any_of(
      std::array<Bytes, 4>{"crit", "b64", "zip", "enc"},
      [&](Bytes name) { return bool(header.get(name)); });
}

Result<Header, TokenError> parse_header(Bytes part) {
  const auto json = object_of(part);
  if (!json) {
    return TokenError::malformed;
  }
  const Json alg = json->get("alg");
  const Json kid = json->get("kid");
  const Json typ = json->get("typ");
  if (!alg.is_string() || (kid && !kid.is_string()) || !is_known_typ(typ) ||
      is_read_otherwise(*json)) {
    return TokenError::malformed;
  }
  const auto algorithm = algorithm_by_name(alg.as_string());
  if (!algorithm) {
    return TokenError::algorithm;
  }
  Header header{*algorithm, std::nullopt};
  if (kid) {
    header.kid.emplace(kid.as_string());
  }
  return header;
}

// Tokens of one issuer have the same header, byte for byte: what the last one
// said is remembered.
Result<Header, TokenError> read_header(Bytes part) {
  thread_local std::string last;
  thread_local std::optional<Header> said;
  if (said && part == last) return *said;
  auto header = parse_header(part);
  if (header) {
    last = part;
    said = *header;
  }
  return header;
}

// HMAC costs no more than to look it up.
bool signature_is_good(const SignedToken& token, const Key& key,
                       SignatureCache* cache) {
  if (cache == nullptr || is_hmac(key.algorithm())) {
    return signature_matches(token, key);
  }
  if (cache->holds(key.digest(), token.whole)) return true;
  if (!signature_matches(token, key)) return false;
  cache->keep(key.digest(), token.whole);
  return true;
}

// Why there is none to verify it with. Of a key that isn't known now the token
// may be good, unless no such key could have signed it.
TokenError why_no_key(const SignedToken& token, const Header& header,
                      const KeySet& keys, bool known) {
  const bool other = header.kid && (known || header.kid->empty());
  if (other || !keys.waits_for(header.algorithm)) {
    return known ? TokenError::algorithm : TokenError::unknown_key;
  }
  return can_be_signature(header.algorithm, token.signature.size())
             ? TokenError::no_keys
             : TokenError::signature;
}

// Whether a key that the header's kid chooses has signed the token. The
// algorithm that the token names decides nothing: it is compared.
Result<Done, TokenError> check_signature(const SignedToken& token,
                                         const Header& header,
                                         const KeySet& keys) {
  auto candidates = keys.find(header.kid);
  const bool known = !candidates.empty();
  std::erase_if(candidates, [&](const Key* key) {
    return key->algorithm() != header.algorithm;
  });
  if (candidates.empty()) return why_no_key(token, header, keys, known);
  const bool matched =
      std::any_of(candidates.begin(), candidates.end(), [&](const Key* key) {
        return signature_is_good(token, *key, keys.cache());
      });
  return matched ? Result<Done, TokenError>(Done{}) : TokenError::signature;
}

}  // namespace

Bytes token_error_text(TokenError error) {
  switch (error) {
    case TokenError::missing:
      return "no token";
    case TokenError::malformed:
      return "the token is malformed";
    case TokenError::too_large:
      return "the token is too large";
    case TokenError::unknown_key:
      return "no key for the token's kid";
    case TokenError::algorithm:
      return "the token's algorithm is not the key's";
    case TokenError::signature:
      return "the token's signature is wrong";
    case TokenError::expired:
      return "the token has expired";
    case TokenError::not_yet_valid:
      return "the token is not valid yet";
    case TokenError::issuer:
      return "the token's issuer is not the one asked for";
    case TokenError::audience:
      return "the token is for another audience";
    case TokenError::claims:
      return "a claim of the token is missing or malformed";
    case TokenError::limits:
      return "the token's limits are malformed";
    case TokenError::no_keys:
      return "the keys of the token's issuer aren't known yet: try again";
    case TokenError::revoked:
      return "the token was revoked";
    case TokenError::unknown:
      return "the token is unknown, or has expired";
    case TokenError::unknown_so_far:
      return "which tokens are good isn't known yet: try again";
  }
  return "the token is refused";
}

Result<Token, TokenError> verify(Bytes token, const KeySet& keys,
                                 const TokenRules& rules, std::int64_t now) {
  return verify(token, Issuers(keys, rules), now);
}

Result<Token, TokenError> verify(Bytes token, const Issuers& issuers,
                                 std::int64_t now) {
  if (token.empty()) {
    return TokenError::missing;
  }
  if (token.size() > kMaxTokenSize) {
    return TokenError::too_large;
  }
  const auto parts = split(token);
  if (!parts) {
    return TokenError::malformed;
  }
  const auto header = read_header(parts->header);
  if (!header) {
    return header.error();
  }
  const auto claims = object_of(parts->payload);
  auto signature = base64url_decode(parts->signature);
  if (!claims || !signature) {
    return TokenError::malformed;
  }
  const SignedToken signed_token{
      token, token.substr(0, token.size() - parts->signature.size() - 1),
      std::move(*signature)};
  const Issuer* const issuer = issuers.find(*claims);
  if (issuer == nullptr) return TokenError::issuer;
  const auto good = check_signature(signed_token, *header, *issuer->keys);
  if (!good && good.error() != TokenError::no_keys) return good.error();
  auto read = read_claims(*claims, *issuer->rules, now);
  // Whoever signed it: such claims open nothing.
  if (!read || good) return read;
  return good.error();
}

}  // namespace paperboy::auth
