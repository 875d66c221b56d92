// Tokens against forged requests, and messages that show one. The input: a
// user, a token and a message, a newline between.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "auth/csrf.hpp"
#include "auth/csrf_message.hpp"
#include "base/json_text.hpp"

namespace {

using paperboy::Bytes;
using namespace paperboy::auth;

constexpr std::int64_t kNow = 1'700'000'000;

void require(bool holds) {
  if (!holds) std::abort();
}

Bytes next_line(Bytes& rest) {
  const std::size_t newline = std::min(rest.find('\n'), rest.size());
  const Bytes line = rest.substr(0, newline);
  rest.remove_prefix(std::min(newline + 1, rest.size()));
  return line;
}

void check_token(Bytes user, Bytes token) {
  const CsrfSecret secret("a secret of thirty-two bytes, ok");
  const auto check = secret.check(user, token, kNow);
  const bool known = check == CsrfCheck::good || check == CsrfCheck::expired;
  if (known) {
    const auto end = std::stoll(std::string(token.substr(65)));
    require(secret.token(user, end) == token);
    require((kNow < end) == (check == CsrfCheck::good));
  }
  const std::string own = secret.token(user, kNow + 1);
  require((secret.check(user, own, kNow) == CsrfCheck::good) == !user.empty());
  require(secret.check(std::string(user) + "x", own, kNow) == CsrfCheck::wrong);
}

/// What goes on is JSON as it was, without the token.
void check_message(Bytes message) {
  std::string rest;
  const auto token = take_csrf(message, rest);
  if (!token) return;
  require(paperboy::is_json(message) && paperboy::is_json(rest));
  require(rest.size() + token->size() + 8 <= message.size());
  for (paperboy::JsonMembers members(rest); members.next();) {
    require(members.name() != "csrf");
  }
  std::string again;
  require(!take_csrf(rest, again));
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it so
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  Bytes rest(reinterpret_cast<const char*>(data), size);
  const Bytes user = next_line(rest);
  check_token(user, next_line(rest));
  check_message(rest);
  return 0;
}
