// Tokens by the thousand, each of another user, for handshakes that show one.
//
//   load_tokens HS256 SECRET-FILE COUNT [CHANNEL]
//   load_tokens ES256|RS256 PRIVATE-KEY-FILE COUNT [CHANNEL]
//
// One a line. They are good for a day, and for all channels unless one is
// named.
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <functional>
#include <iostream>
#include <memory>

#include "base.hpp"

namespace {

using namespace paperboy::load;
using Sign = std::function<std::string(Bytes)>;

constexpr std::size_t kHalf = 32;  // bytes of one number of a P-256 signature
constexpr int kNumber = kHalf;
constexpr std::size_t kLongest = 1024;  // bytes of a signature
constexpr std::time_t kDay = 86400;

const unsigned char* raw(Bytes bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

std::string base64url(Bytes bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   raw(bytes), static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  std::erase(out, '=');
  std::ranges::replace(out, '+', '-');
  std::ranges::replace(out, '/', '_');
  return out;
}

Sign with_secret(std::string secret) {
  if (secret.ends_with('\n')) secret.pop_back();
  return [secret](Bytes text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
         raw(text), text.size(), digest.data(), &size);
    return std::string(reinterpret_cast<char*>(digest.data()), size);
  };
}

// RFC 7518 section 3.4: both numbers, one after the other.
std::string halves_of(const std::string& der) {
  const unsigned char* at = raw(der);
  const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> signature(
      d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())),
      ECDSA_SIG_free);
  std::string out(2 * kHalf, '\0');
  auto* to = reinterpret_cast<unsigned char*>(out.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), to, kNumber);
  BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), to + kHalf, kNumber);
  return out;
}

Sign with_key(const std::string& pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  const std::shared_ptr<EVP_PKEY> key(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr),
      EVP_PKEY_free);
  if (!key) give_up("there is no private key in that file");
  return [key](Bytes text) {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(
        EVP_MD_CTX_new(), EVP_MD_CTX_free);
    EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr,
                       key.get());
    std::string signature(kLongest, '\0');
    std::size_t size = signature.size();
    EVP_DigestSign(context.get(),
                   reinterpret_cast<unsigned char*>(signature.data()), &size,
                   raw(text), text.size());
    signature.resize(size);
    const bool is_rsa = EVP_PKEY_base_id(key.get()) == EVP_PKEY_RSA;
    return is_rsa ? signature : halves_of(signature);
  };
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4)
    give_up("load_tokens HS256|RS256|ES256 KEY-FILE COUNT [CHANNEL]");
  const std::string algorithm = argv[1];
  const std::string key = read_file(argv[2]);
  if (key.empty()) give_up(std::string(argv[2]) + ": no key there");
  const Sign sign = algorithm == "HS256" ? with_secret(key) : with_key(key);
  const std::string head =
      base64url(R"({"alg":")" + algorithm + R"(","typ":"JWT"})") + '.';
  const std::string channel = argc > 4 ? argv[4] : "*";
  const std::string end = std::to_string(std::time(nullptr) + kDay);
  const std::string rest =
      R"(","channels":[")" + channel + R"("],"exp":)" + end + '}';
  const std::uint64_t count = number_of(argv[3]);
  for (std::uint64_t i = 0; i < count; ++i) {
    std::string claims = R"({"sub":"user-)";
    claims += std::to_string(i);
    claims += rest;
    const std::string text = head + base64url(claims);
    std::cout << text << '.' << base64url(sign(text)) << '\n';
  }
}
