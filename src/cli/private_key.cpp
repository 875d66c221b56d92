#include "cli/private_key.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>

namespace paperboy::cli {

namespace {

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Bio = std::unique_ptr<BIO, Free>;
using PrivateKey = std::unique_ptr<EVP_PKEY, Free>;

// A script has no terminal to be asked on.
int no_pass_phrase(char*, int, int, void*) { return -1; }

std::string public_pem(EVP_PKEY* key) {
  const Bio out(BIO_new(BIO_s_mem()));
  char* data = nullptr;
  if (!out || PEM_write_bio_PUBKEY(out.get(), key) != 1) return {};
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

}  // namespace

Outcome<auth::Key> verifying_key(auth::Algorithm algorithm, Bytes pem) {
  if (pem.find("ENCRYPTED") != Bytes::npos) {
    return misused("the key: is encrypted; openssl pkey -in FILE decrypts it");
  }
  const Bio in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const PrivateKey key(
      PEM_read_bio_PrivateKey(in.get(), nullptr, no_pass_phrase, nullptr));
  if (!key) return misused("the key: a private key in PEM is needed to sign");
  auto verifying = auth::Key::load(algorithm, public_pem(key.get()));
  if (!verifying) return misused("the key: " + verifying.error());
  return std::move(*verifying);
}

}  // namespace paperboy::cli
