#include "auth/key.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <array>
#include <utility>

#include "auth/openssl_errors.hpp"

namespace paperboy::auth {

namespace {

struct Row {
  Bytes name;
  Family family;
  std::size_t hash_size;
  const char* curve;  // OpenSSL's name of the curve; null: not ES
};

// RFC 7518 section 3.1, in the order of Algorithm.
constexpr std::array<Row, 13> kRows = {{
    {"HS256", Family::hs, 32, nullptr},
    {"HS384", Family::hs, 48, nullptr},
    {"HS512", Family::hs, 64, nullptr},
    {"RS256", Family::rs, 32, nullptr},
    {"RS384", Family::rs, 48, nullptr},
    {"RS512", Family::rs, 64, nullptr},
    {"PS256", Family::ps, 32, nullptr},
    {"PS384", Family::ps, 48, nullptr},
    {"PS512", Family::ps, 64, nullptr},
    {"ES256", Family::es, 32, "prime256v1"},
    {"ES384", Family::es, 48, "secp384r1"},
    {"ES512", Family::es, 64, "secp521r1"},
    {"EdDSA", Family::eddsa, 0, nullptr},
}};

constexpr std::size_t kMaxSecretSize = 8192;
constexpr std::size_t kMaxPemSize = 65536;
constexpr int kMinRsaBits = 2048;   // RFC 7518 section 3.3
constexpr int kMaxRsaBits = 16384;  // OpenSSL verifies none above

const Row& row(Algorithm algorithm) {
  return kRows[static_cast<std::size_t>(algorithm)];
}

// Without it, OpenSSL asks for the pass phrase of an encrypted PEM on the
// terminal.
int no_pass_phrase(char*, int, int, void*) { return -1; }

EVP_PKEY* key_of_certificate(BIO* bio) {
  X509* certificate = PEM_read_bio_X509(bio, nullptr, no_pass_phrase, nullptr);
  EVP_PKEY* key = X509_get_pubkey(certificate);
  X509_free(certificate);
  return key;
}

/// With an exponent of 1 the message is its own signature.
bool is_exponent_safe(EVP_PKEY* key) {
  BIGNUM* exponent = nullptr;
  if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) != 1) {
    return false;
  }
  const bool safe = BN_is_odd(exponent) == 1 && BN_is_one(exponent) == 0;
  BN_free(exponent);
  return safe;
}

// Empty: `key` fits the algorithm.
std::string why_rsa_unfit(EVP_PKEY* key) {
  if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA) {
    return "the algorithm needs an RSA key, and this is none";
  }
  const int bits = EVP_PKEY_get_bits(key);
  if (bits < kMinRsaBits || bits > kMaxRsaBits) {
    return "an RSA key needs 2048 to 16384 bits, and this one has " +
           std::to_string(bits);
  }
  if (!is_exponent_safe(key)) {
    return "the RSA key's exponent is even, or smaller than 3";
  }
  return {};
}

std::string why_ec_unfit(EVP_PKEY* key, const char* curve) {
  std::array<char, 64> name{};
  if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC) {
    return "the algorithm needs an EC key, and this is none";
  }
  if (EVP_PKEY_get_group_name(key, name.data(), name.size(), nullptr) != 1 ||
      Bytes(name.data()) != curve) {
    return std::string("the algorithm needs a key on the curve ") + curve;
  }
  return {};
}

std::string why_edwards_unfit(EVP_PKEY* key) {
  const int id = EVP_PKEY_get_base_id(key);
  if (id != EVP_PKEY_ED25519 && id != EVP_PKEY_ED448) {
    return "the algorithm needs an Ed25519 or Ed448 key, and this is none";
  }
  return {};
}

std::string why_unfit(EVP_PKEY* key, const Row& row) {
  switch (row.family) {
    case Family::es:
      return why_ec_unfit(key, row.curve);
    case Family::eddsa:
      return why_edwards_unfit(key);
    default:
      return why_rsa_unfit(key);
  }
}

std::string why_secret_unfit(Bytes secret) {
  if (secret.empty()) {
    return "the secret is empty";
  }
  if (secret.size() > kMaxSecretSize) {
    return "the secret is larger than 8192 bytes";
  }
  if (secret.find("-----BEGIN ") != Bytes::npos) {
    return "this is a PEM, not a shared secret: whoever has the public key "
           "could sign with it";
  }
  return {};
}

}  // namespace

std::optional<Algorithm> algorithm_by_name(Bytes name) {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    if (kRows[i].name == name) {
      return static_cast<Algorithm>(i);
    }
  }
  return std::nullopt;
}

Bytes algorithm_name(Algorithm algorithm) { return row(algorithm).name; }

Family family(Algorithm algorithm) { return row(algorithm).family; }

bool is_hmac(Algorithm algorithm) { return family(algorithm) == Family::hs; }

std::size_t hash_size(Algorithm algorithm) { return row(algorithm).hash_size; }

void Key::Free::operator()(evp_pkey_st* key) const { EVP_PKEY_free(key); }
void Key::Free::operator()(evp_mac_ctx_st* mac) const { EVP_MAC_CTX_free(mac); }

Result<Key::PublicKey, std::string> Key::read_public_key(Bytes pem) {
  if (pem.size() > kMaxPemSize) {
    return std::string("the key is larger than 65536 bytes");
  }
  if (pem.find("PRIVATE KEY-----") != Bytes::npos) {
    return std::string(
        "this is a private key: give the public one, and keep the private "
        "one where tokens are made");
  }
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  const bool certificate = pem.find("BEGIN CERTIFICATE") != Bytes::npos;
  PublicKey key(
      certificate ? key_of_certificate(bio)
                  : PEM_read_bio_PUBKEY(bio, nullptr, no_pass_phrase, nullptr));
  BIO_free(bio);
  if (!key) {
    return std::string("no PEM public key or certificate can be read");
  }
  return key;
}

Result<Key, std::string> Key::load(Algorithm algorithm, Bytes material,
                                   Bytes kid) {
  const OpensslErrors scope;
  Key key(algorithm, kid);
  if (is_hmac(algorithm)) {
    if (std::string why = why_secret_unfit(material); !why.empty()) {
      return why;
    }
    key.secret_ = SecretBytes(material);
    if (!key.make_mac()) return std::string("nothing can be signed with it");
    return key;
  }
  auto parsed = read_public_key(material);
  if (!parsed) {
    return parsed.error();
  }
  return take(algorithm, std::move(parsed).value(), kid);
}

Result<Key, std::string> Key::take(Algorithm algorithm, PublicKey parsed,
                                   Bytes kid) {
  if (std::string why = why_unfit(parsed.get(), row(algorithm)); !why.empty()) {
    return why;
  }
  Key key(algorithm, kid);
  key.public_key_ = std::move(parsed);
  if (!key.take_digest()) return std::string("its digest can't be made");
  return key;
}

bool Key::take_digest() {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(public_key_.get(), &der);
  if (size <= 0) return false;
  std::string text(reinterpret_cast<char*>(der),
                   static_cast<std::size_t>(size));
  OPENSSL_free(der);
  text += algorithm_name(algorithm_);
  return EVP_Digest(text.data(), text.size(), digest_.data(), nullptr,
                    EVP_sha256(), nullptr) == 1;
}

bool Key::make_mac() {
  EVP_MAC* const hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  if (hmac == nullptr) return false;
  mac_.reset(EVP_MAC_CTX_new(hmac));
  EVP_MAC_free(hmac);
  std::string hash = "SHA" + std::to_string(8 * hash_size(algorithm_));
  const std::array parameters = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, hash.data(), 0),
      OSSL_PARAM_construct_end()};
  const auto* const secret =
      reinterpret_cast<const unsigned char*>(secret_.view().data());
  return mac_ && EVP_MAC_init(mac_.get(), secret, secret_.view().size(),
                              parameters.data()) == 1;
}

bool Key::weak() const {
  return is_hmac(algorithm_) && secret().size() < hash_size(algorithm_);
}

}  // namespace paperboy::auth
