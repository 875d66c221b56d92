#include "hub/order.hpp"

#include <string>

#include "test.hpp"

namespace paperboy::hub {
namespace {

using namespace std::string_literals;

Order full() {
  Order order;
  order.kind = Order::Kind::subscribe;
  order.name_space = "shop";
  order.user = "";
  order.client = "c1";
  order.channel = "shop\0room"s;
  order.code = 4999;
  order.reason = "why";
  order.spared = {"a", "", "b"};
  order.expires = -1;
  order.expired = true;
  order.info = "{}";
  order.data = "[1]";
  order.since = Position{7, 9};
  return order;
}

void what_is_written_is_read(void**) {
  const auto read = decode(encode(full()));
  assert_true(read.has_value());
  assert_true(read->kind == Order::Kind::subscribe);
  assert_true(read->name_space == "shop" && read->user == "");
  assert_true(read->client == "c1" && read->channel == "shop\0room"s);
  assert_true(read->code == 4999 && read->reason == "why");
  assert_true(read->spared == full().spared);
  assert_true(read->expires == -1 && read->expired);
  assert_true(read->info == "{}" && read->data == "[1]");
  assert_true(read->since == Position(7, 9));
}

void what_is_not_set_stays_so(void**) {
  const auto read = decode(encode({}));
  assert_true(read.has_value());
  assert_true(read->kind == Order::Kind::disconnect);
  assert_false(read->user.has_value());
  assert_false(read->since.has_value());
  assert_false(read->expired);
  assert_true(read->spared.empty());
}

void what_is_cut_short_or_too_long_is_none(void**) {
  const std::string text = encode(full());
  for (std::size_t size = 0; size < text.size(); ++size) {
    assert_false(decode(Bytes(text).substr(0, size)).has_value());
  }
  assert_false(decode(text + "x").has_value());
}

void another_version_or_kind_is_none(void**) {
  std::string text = encode(full());
  text[0] = 2;
  assert_false(decode(text).has_value());
  text = encode(full());
  text[8] = 4;
  assert_false(decode(text).has_value());
}

}  // namespace
}  // namespace paperboy::hub

int main() {
  using namespace paperboy::hub;
  const CMUnitTest tests[] = {
      cmocka_unit_test(what_is_written_is_read),
      cmocka_unit_test(what_is_not_set_stays_so),
      cmocka_unit_test(what_is_cut_short_or_too_long_is_none),
      cmocka_unit_test(another_version_or_kind_is_none),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
