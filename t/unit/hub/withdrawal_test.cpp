#include "hub/withdrawal.hpp"

#include <string>

#include "base/token_record.hpp"
#include "hub/order.hpp"
#include "hub/revoker.hpp"
#include "hub/tokens.hpp"

#include "test.hpp"

namespace paperboy::hub {
namespace {

bool withdraws(Bytes channel, Bytes data) {
  return is_withdrawal(Draft{.channel = channel, .data = data});
}

std::string record(TokenRecord::Kind kind) {
  return encode(TokenRecord{.kind = kind,
                            .hash = std::string(TokenRecord::kHash, 'h'),
                            .expires = 1,
                            .claims = "{}"});
}

void revocations_and_orders_are(void**) {
  assert_true(withdraws(kRevocations, "whatever"));
  assert_true(withdraws(kOrders, ""));
}

void of_tokens_only_their_ends_are(void**) {
  using Kind = TokenRecord::Kind;
  assert_true(withdraws(kTokens, record(Kind::end)));
  for (const Kind kind : {Kind::put, Kind::prolong}) {
    assert_false(withdraws(kTokens, record(kind)));
  }
  for (const Bytes bytes : {"", "of another build"}) {
    assert_false(withdraws(kTokens, bytes));
  }
}

void what_others_publish_is_none(void**) {
  const std::string end = record(TokenRecord::Kind::end);
  for (const Bytes channel : {Bytes("news"), Bytes("orders"), Bytes("tokens"),
                              Bytes("\0survey", 7), Bytes("a\0orders", 8)}) {
    assert_false(withdraws(channel, end));
  }
}

}  // namespace
}  // namespace paperboy::hub

int main() {
  using namespace paperboy::hub;
  const CMUnitTest tests[] = {
      cmocka_unit_test(revocations_and_orders_are),
      cmocka_unit_test(of_tokens_only_their_ends_are),
      cmocka_unit_test(what_others_publish_is_none),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
