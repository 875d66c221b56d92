// jwk = { "kty": "RSA" | "EC" | "OKP" | "oct",
//         "kid": NAME, "use": "sig", "key_ops": ["verify"], "alg": ALGORITHM,
//         RSA: "n", "e"   EC: "crv", "x", "y"   OKP: "crv", "x"   oct: "k" }
#include "auth/jwk.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include "auth/base64url.hpp"
#include "auth/openssl_errors.hpp"

namespace paperboy::auth {

namespace {

using Refusal = std::string;  // empty: none

constexpr std::size_t kMaxKid = 256;  // bytes
constexpr std::size_t kMaxWord = 32;  // of a name that an error shows

struct Free {
  void operator()(BIGNUM* number) const { BN_free(number); }
  void operator()(OSSL_PARAM_BLD* build) const { OSSL_PARAM_BLD_free(build); }
  void operator()(OSSL_PARAM* params) const { OSSL_PARAM_free(params); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

struct Curve {
  Bytes name;           // RFC 7518 section 6.2.1.1, RFC 8037 section 2
  Bytes type;           // kty
  Algorithm algorithm;  // the only one that it is for
  const char* openssl;
  std::size_t size;  // bytes of a coordinate
};

constexpr std::array<Curve, 5> kCurves = {{
    {"P-256", "EC", Algorithm::es256, "prime256v1", 32},
    {"P-384", "EC", Algorithm::es384, "secp384r1", 48},
    {"P-521", "EC", Algorithm::es512, "secp521r1", 66},
    {"Ed25519", "OKP", Algorithm::eddsa, "ED25519", 32},
    {"Ed448", "OKP", Algorithm::eddsa, "ED448", 57},
}};

const unsigned char* octets(Bytes bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

/// What strangers wrote, for a log line.
std::string shown(Bytes word) {
  std::string out(word.substr(0, kMaxWord));
  std::ranges::replace_if(
      out, [](char c) { return c < ' ' || c > '~' || c == '"'; }, '?');
  return '"' + out + '"';
}

std::optional<std::string> member(const Json& jwk, Bytes name) {
  const Json value = jwk.get(name);
  if (!value.is_string() || value.as_string().empty()) return {};
  return base64url_decode(value.as_string());
}

const Curve* curve_of(const Json& jwk, Bytes type) {
  const Json name = jwk.get("crv");
  const auto* const found =
      std::ranges::find_if(kCurves, [&](const Curve& curve) {
        return curve.type == type && curve.name == name.as_string();
      });
  return found == kCurves.end() ? nullptr : found;
}

/// RFC 7517 sections 4.2 and 4.3.
Refusal why_not_to_verify(const Json& jwk) {
  const Json use = jwk.get("use");
  if (use && use.as_string() != "sig") {
    return "its use is " + shown(use.as_string()) + ", not sig";
  }
  const Json ops = jwk.get("key_ops");
  if (!ops) return {};
  for (std::size_t i = 0; i < (ops.is_array() ? ops.size() : 0); ++i) {
    if (ops.at(i).as_string() == "verify") return {};
  }
  return "its key_ops name no verify";
}

/// Whoever can read this can sign.
Refusal why_private(const Json& jwk) {
  for (const Bytes name : {"d", "p", "q", "dp", "dq", "qi", "oth"}) {
    if (jwk.get(name)) {
      return "it is a private key, and everybody who can read it can sign with "
             "it: publish the public part alone, of a new key";
    }
  }
  return {};
}

bool fits(Bytes type, const Curve* curve, Algorithm algorithm) {
  if (curve != nullptr) return curve->algorithm == algorithm;
  const Family of = family(algorithm);
  return type == "RSA" ? of == Family::rs || of == Family::ps
                       : of == Family::hs;
}

/// RFC 7517 section 4.4. The algorithm is the key's own or follows from it.
Result<Algorithm, Refusal> algorithm_of(const Json& jwk, Bytes type,
                                        const Curve* curve) {
  const Json alg = jwk.get("alg");
  if (!alg && curve != nullptr) return curve->algorithm;
  if (!alg && type == "RSA") return Algorithm::rs256;
  if (!alg) return Refusal("it is a secret that names no alg");
  const auto algorithm = algorithm_by_name(alg.as_string());
  if (!algorithm) {
    return "its alg " + shown(alg.as_string()) + " is none of ours";
  }
  if (!fits(type, curve, *algorithm)) {
    return "its alg " + shown(alg.as_string()) + " is not for such a key";
  }
  return *algorithm;
}

/// Takes what `fill` puts into it as a public key of OpenSSL's `type`.
template <typename Fill>
Key::PublicKey build(const char* type, Fill fill) {
  const Owned<OSSL_PARAM_BLD> parts(OSSL_PARAM_BLD_new());
  const Owned<EVP_PKEY_CTX> context(
      EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  if (!parts || !context || !fill(parts.get())) return {};
  const Owned<OSSL_PARAM> params(OSSL_PARAM_BLD_to_param(parts.get()));
  EVP_PKEY* made = nullptr;
  if (!params || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY,
                        params.get()) != 1) {
    return {};
  }
  return Key::PublicKey(made);
}

Owned<BIGNUM> number(Bytes bytes) {
  return Owned<BIGNUM>(
      BN_bin2bn(octets(bytes), static_cast<int>(bytes.size()), nullptr));
}

Key::PublicKey rsa_key(const Json& jwk) {
  const auto n = member(jwk, "n");
  const auto e = member(jwk, "e");
  if (!n || !e) return {};
  const auto modulus = number(*n);
  const auto exponent = number(*e);
  return build("RSA", [&](OSSL_PARAM_BLD* parts) {
    return modulus && exponent &&
           OSSL_PARAM_BLD_push_BN(parts, OSSL_PKEY_PARAM_RSA_N,
                                  modulus.get()) == 1 &&
           OSSL_PARAM_BLD_push_BN(parts, OSSL_PKEY_PARAM_RSA_E,
                                  exponent.get()) == 1;
  });
}

/// OpenSSL refuses a point that isn't on the curve.
Key::PublicKey ec_key(const Json& jwk, const Curve& curve) {
  const auto x = member(jwk, "x");
  const auto y = member(jwk, "y");
  if (!x || !y || x->size() != curve.size || y->size() != curve.size) return {};
  const std::string point = '\4' + *x + *y;  // uncompressed, SEC 1 section 2.3
  return build("EC", [&](OSSL_PARAM_BLD* parts) {
    return OSSL_PARAM_BLD_push_utf8_string(parts, OSSL_PKEY_PARAM_GROUP_NAME,
                                           curve.openssl, 0) == 1 &&
           OSSL_PARAM_BLD_push_octet_string(parts, OSSL_PKEY_PARAM_PUB_KEY,
                                            point.data(), point.size()) == 1;
  });
}

Key::PublicKey edwards_key(const Json& jwk, const Curve& curve) {
  const auto x = member(jwk, "x");
  if (!x || x->size() != curve.size) return {};
  return Key::PublicKey(EVP_PKEY_new_raw_public_key_ex(
      nullptr, curve.openssl, nullptr, octets(*x), x->size()));
}

Result<Key, Refusal> secret_key(const Json& jwk, Algorithm algorithm,
                                Bytes kid) {
  const auto secret = member(jwk, "k");
  if (!secret) return Refusal("its k is missing, or no base64url");
  auto key = Key::load(algorithm, *secret, kid);
  if (key && key->weak()) {
    return Refusal("its secret is shorter than the hash of its algorithm");
  }
  return key;
}

/// What can be said before its numbers are read.
Refusal why_unusable(const Json& jwk, Bytes type, const Curve* curve,
                     bool secrets) {
  if (!jwk.get("kty").is_string()) return "it has no kty";
  if ((type == "EC" || type == "OKP") && curve == nullptr) {
    return "its crv " + shown(jwk.get("crv").as_string()) + " is none of ours";
  }
  if (curve == nullptr && type != "RSA" && type != "oct") {
    return "its kty " + shown(type) + " is none of ours";
  }
  if (type == "oct" && !secrets) {
    return "it is a secret, and everybody who can read it can sign with it";
  }
  if (type != "oct") {
    if (Refusal why = why_private(jwk); !why.empty()) return why;
  }
  return why_not_to_verify(jwk);
}

Refusal why_unnamed(const Json& kid) {
  if (kid && (!kid.is_string() || kid.as_string().empty() ||
              kid.as_string().size() > kMaxKid)) {
    return "its kid is no string of 1 to 256 bytes";
  }
  return {};
}

}  // namespace

Result<Key, std::string> read_jwk(const Json& jwk, bool secrets) {
  const OpensslErrors scope;
  const Json type = jwk.get("kty");
  const Json kid = jwk.get("kid");
  const Curve* const curve = curve_of(jwk, type.as_string());
  if (Refusal why = why_unnamed(kid); !why.empty()) return why;
  Refusal why = why_unusable(jwk, type.as_string(), curve, secrets);
  if (!why.empty()) return why;
  const auto algorithm = algorithm_of(jwk, type.as_string(), curve);
  if (!algorithm) return algorithm.error();
  if (type.as_string() == "oct") {
    return secret_key(jwk, *algorithm, kid.as_string());
  }
  auto key = curve == nullptr      ? rsa_key(jwk)
             : curve->type == "EC" ? ec_key(jwk, *curve)
                                   : edwards_key(jwk, *curve);
  if (!key) return Refusal("its numbers are missing or make no key");
  return Key::take(*algorithm, std::move(key), kid.as_string());
}

}  // namespace paperboy::auth
