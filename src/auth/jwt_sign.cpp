#include "auth/jwt_sign.hpp"

#include <jwt.h>

#include <cstdlib>
#include <memory>

#include "auth/openssl_errors.hpp"
#include "base/json.hpp"

namespace paperboy::auth {

namespace {

struct Free {
  void operator()(jwt_t* jwt) const { jwt_free(jwt); }
  void operator()(char* text) const { std::free(text); }
};

SignError failure(const char* text) { return {text}; }

}  // namespace

Result<std::string, SignError> sign(Algorithm algorithm, Bytes key,
                                    Bytes claims, Bytes kid) {
  const OpensslErrors scope;
  const auto json = Json::parse(claims);
  if (!json || !json->is_object()) {
    return failure("the claims are no JSON object");
  }
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
    return failure("the key does not fit the algorithm");
  }
  return std::string(token.get());
}

}  // namespace paperboy::auth
