// Which keys are loaded.
#include "auth/key.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include <string>

#include "auth/tokens.hpp"
#include "test.hpp"

namespace {

using paperboy::Bytes;
using namespace paperboy::auth;
using namespace paperboy::auth::test;

void assert_refused(Algorithm algorithm, Bytes material, Bytes why) {
  auto key = Key::load(algorithm, material);
  assert_false(key.ok());
  if (key.error().find(why) == std::string::npos) {
    fail_msg("%s: %s", why.data(), key.error().c_str());
  }
}

std::string rsa_certificate() {
  BIO* in = BIO_new_mem_buf(rsa().private_pem.data(), -1);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(in, nullptr, nullptr, nullptr);
  BIO_free(in);
  X509* certificate = X509_new();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  X509_sign(certificate, key, EVP_sha256());
  BIO* out = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(out, certificate);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return text_of(out);
}

// "BEGIN RSA PUBLIC KEY", which older tools write.
std::string rsa_public_pkcs1() {
  BIO* in = BIO_new_mem_buf(rsa().public_pem.data(), -1);
  EVP_PKEY* key = PEM_read_bio_PUBKEY(in, nullptr, nullptr, nullptr);
  BIO_free(in);
  unsigned char* der = nullptr;
  const int size = i2d_PublicKey(key, &der);
  BIO* out = BIO_new(BIO_s_mem());
  PEM_write_bio(out, "RSA PUBLIC KEY", "", der, size);
  OPENSSL_free(der);
  EVP_PKEY_free(key);
  return text_of(out);
}

void algorithms_have_their_names(void**) {
  for (const Algorithm algorithm : kAlgorithms) {
    assert_true(algorithm_by_name(algorithm_name(algorithm)) == algorithm);
  }
  for (const Bytes name :
       {"none", "hs256", "HS256 ", "HS", "", "EDDSA", "Ed25519"}) {
    assert_false(algorithm_by_name(name).has_value());
  }
}

void every_algorithm_loads_its_key(void**) {
  for (const Algorithm algorithm : kAlgorithms) {
    auto key = Key::load(algorithm, pair_for(algorithm).public_pem, "k1");
    assert_true(key.ok());
    assert_true(key->algorithm() == algorithm);
    assert_string_equal(key->kid().c_str(), "k1");
    assert_true((key->public_key() == nullptr) == is_hmac(algorithm));
    assert_true(key->secret().empty() != is_hmac(algorithm));
    assert_true((key->mac() != nullptr) == is_hmac(algorithm));
  }
}

void a_certificate_is_a_public_key_too(void**) {
  assert_true(Key::load(Algorithm::rs256, rsa_certificate()).ok());
  assert_true(Key::load(Algorithm::rs256, rsa_public_pkcs1()).ok());
  assert_true(
      Key::load(Algorithm::rs256, "a comment\n" + rsa().public_pem).ok());
}

void a_short_secret_is_weak(void**) {
  assert_true(Key::load(Algorithm::hs256, "shhhhh")->weak());
  assert_true(Key::load(Algorithm::hs256, std::string(31, 'x'))->weak());
  assert_false(Key::load(Algorithm::hs256, std::string(32, 'x'))->weak());
  assert_true(Key::load(Algorithm::hs512, std::string(63, 'x'))->weak());
  assert_false(Key::load(Algorithm::hs512, std::string(64, 'x'))->weak());
  assert_false(Key::load(Algorithm::rs256, rsa().public_pem)->weak());
}

void a_secret_is_every_byte_of_it(void**) {
  const std::string secret("a\0b\n", 4);
  assert_true(Key::load(Algorithm::hs256, secret)->secret() == secret);
}

void refuses_what_is_no_secret(void**) {
  assert_refused(Algorithm::hs256, "", "empty");
  assert_refused(Algorithm::hs256, std::string(8193, 'x'), "larger");
  assert_refused(Algorithm::hs256, rsa().public_pem, "PEM");
  assert_refused(Algorithm::hs512, "\n" + p256().public_pem, "PEM");
  assert_refused(Algorithm::hs256, rsa_certificate(), "PEM");
}

void refuses_what_is_no_public_key(void**) {
  for (const Algorithm algorithm : {Algorithm::rs256, Algorithm::es256}) {
    assert_refused(algorithm, "", "no PEM");
    assert_refused(algorithm, {}, "no PEM");
    assert_refused(algorithm, "secret", "no PEM");
    assert_refused(algorithm, std::string(65537, 'x'), "larger");
    assert_refused(algorithm,
                   "-----BEGIN PUBLIC KEY-----\nAAAA\n"
                   "-----END PUBLIC KEY-----\n",
                   "no PEM");
    assert_refused(algorithm,
                   "-----BEGIN CERTIFICATE-----\nAAAA\n"
                   "-----END CERTIFICATE-----\n",
                   "no PEM");
  }
  assert_refused(Algorithm::rs256, rsa().private_pem, "private");
  assert_refused(Algorithm::es256, p256().private_pem, "private");
  assert_refused(Algorithm::rs256, rsa().public_pem + rsa().private_pem,
                 "private");
}

void refuses_a_key_of_another_algorithm(void**) {
  assert_refused(Algorithm::rs256, p256().public_pem, "RSA");
  assert_refused(Algorithm::es256, rsa().public_pem, "EC");
  assert_refused(Algorithm::es256, p384().public_pem, "prime256v1");
  assert_refused(Algorithm::es256, p521().public_pem, "prime256v1");
  assert_refused(Algorithm::es256, make_ec("secp256k1").public_pem,
                 "prime256v1");
  assert_refused(Algorithm::es384, p256().public_pem, "secp384r1");
  assert_refused(Algorithm::es512, p384().public_pem, "secp521r1");
  for (const Algorithm algorithm : {Algorithm::rs256, Algorithm::ps256}) {
    assert_refused(algorithm, ed25519().public_pem, "RSA");
    assert_refused(algorithm, p256().public_pem, "RSA");
  }
  assert_refused(Algorithm::eddsa, p256().public_pem, "Ed25519");
  assert_refused(Algorithm::eddsa, rsa().public_pem, "Ed25519");
  assert_refused(Algorithm::eddsa, make_edwards("X25519").public_pem,
                 "Ed25519");
}

void refuses_a_small_rsa_key(void**) {
  assert_refused(Algorithm::rs256, make_rsa(1024).public_pem, "1024");
  assert_refused(Algorithm::ps512, make_rsa(1024).public_pem, "1024");
}

// What OpenSSL would verify anything with.
void refuses_an_exponent_of_one(void**) {
  BIGNUM* n = BN_new();
  BN_set_bit(n, 2047);
  BN_set_bit(n, 0);
  OSSL_PARAM_BLD* parts = OSSL_PARAM_BLD_new();
  OSSL_PARAM_BLD_push_BN(parts, OSSL_PKEY_PARAM_RSA_N, n);
  OSSL_PARAM_BLD_push_uint(parts, OSSL_PKEY_PARAM_RSA_E, 1);
  OSSL_PARAM* params = OSSL_PARAM_BLD_to_param(parts);
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr);
  EVP_PKEY* key = nullptr;
  EVP_PKEY_fromdata_init(context);
  EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params);
  BIO* out = BIO_new(BIO_s_mem());
  PEM_write_bio_PUBKEY(out, key);
  EVP_PKEY_free(key);
  EVP_PKEY_CTX_free(context);
  OSSL_PARAM_free(params);
  OSSL_PARAM_BLD_free(parts);
  BN_free(n);
  const std::string pem = text_of(out);
  assert_refused(Algorithm::rs256, pem, "exponent");
  assert_refused(Algorithm::ps256, pem, "exponent");
}

void leaves_openssl_without_errors(void**) {
  assert_refused(Algorithm::rs256, "nothing", "no PEM");
  assert_int_equal(ERR_peek_error(), 0);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(algorithms_have_their_names),
      cmocka_unit_test(every_algorithm_loads_its_key),
      cmocka_unit_test(a_certificate_is_a_public_key_too),
      cmocka_unit_test(a_short_secret_is_weak),
      cmocka_unit_test(a_secret_is_every_byte_of_it),
      cmocka_unit_test(refuses_what_is_no_secret),
      cmocka_unit_test(refuses_what_is_no_public_key),
      cmocka_unit_test(refuses_a_key_of_another_algorithm),
      cmocka_unit_test(refuses_a_small_rsa_key),
      cmocka_unit_test(refuses_an_exponent_of_one),
      cmocka_unit_test(leaves_openssl_without_errors),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
