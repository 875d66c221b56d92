#include "auth/jwt_sign.hpp"

#include <jwt.h>

#include <cstdlib>
#include <memory>

#include "auth/base64url.hpp"
#include "auth/openssl_errors.hpp"
#include "auth/openssl_sign.hpp"
#include "base/json.hpp"

namespace paperboy::auth {

namespace {

struct Free {
  void operator()(jwt_t* jwt) const { jwt_free(jwt); }
  void operator()(char* text) const { std::free(text); }
};

SignError failure(const char* text) { return {text}; }

constexpr const char* kUnfit = "the key does not fit the algorithm";

// libjwt 1.10 knows neither PS nor EdDSA.
bool libjwt_signs(Algorithm algorithm) {
  const Family which = family(algorithm);
  return which != Family::ps && which != Family::eddsa;
}

Result<std::string, SignError> sign_by_openssl(Algorithm algorithm, Bytes key,
                                               Bytes claims, Bytes kid) {
  Json header = Json::object();
  header.set("alg", Json::string(algorithm_name(algorithm)));
  header.set("typ", Json::string("JWT"));
  if (!kid.empty()) header.set("kid", Json::string(kid));
  const std::string text =
      base64url_encode(header.dump()) + '.' + base64url_encode(claims);
  const auto signature = openssl_signature(algorithm, key, text);
  if (!signature) return failure(kUnfit);
  return text + '.' + base64url_encode(*signature);
}

Result<std::string, SignError> sign_by_libjwt(Algorithm algorithm, Bytes key,
                                              Bytes claims, Bytes kid) {
  jwt_t* made = nullptr;
  if (jwt_new(&made) != 0) {
    return failure("out of memory");
  }
  const std::unique_ptr<jwt_t, Free> jwt(made);
  const std::string name(algorithm_name(algorithm));
  if (jwt_set_alg(made, jwt_str_alg(name.c_str()),
                  reinterpret_cast<const unsigned char*>(key.data()),
                  static_cast<int>(key.size())) != 0) {
    return failure("the key is empty");
  }
  const std::string header =
      kid.empty() ? "{}" : Json::object().set("kid", Json::string(kid)).dump();
  if (jwt_add_headers_json(made, header.c_str()) != 0 ||
      jwt_add_grants_json(made, std::string(claims).c_str()) != 0) {
    return failure("libjwt refuses the claims or the kid");
  }
  const std::unique_ptr<char, Free> token(jwt_encode_str(made));
  if (!token) {
    return failure(kUnfit);
  }
  return std::string(token.get());
}

}  // namespace

Result<std::string, SignError> sign(Algorithm algorithm, Bytes key,
                                    Bytes claims, Bytes kid) {
  const OpensslErrors scope;
  const auto json = Json::parse(claims);
  if (!json || !json->is_object()) {
    return failure("the claims are no JSON object");
  }
  return libjwt_signs(algorithm) ? sign_by_libjwt(algorithm, key, claims, kid)
                                 : sign_by_openssl(algorithm, key, claims, kid);
}

}  // namespace paperboy::auth
