#include "broker/redis_identity.hpp"

#include <string>

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::broker::redis {
namespace {

const std::string id = "0123456789abcdef0123456789abcdef01234567";

void a_server_says_its_role_and_its_history(void**) {
  const std::string text =
      "# Replication\r\nrole:master\r\nconnected_slaves:0\r\n"
      "master_replid:" +
      id + "\r\nmaster_replid2:" + std::string(40, '0') + "\r\n";
  const auto identity = parse_identity(text);
  assert_true(identity == Identity({true, "0123456789abcdef"}));
  const auto replica =
      parse_identity("role:slave\r\nmaster_replid:" + id + "\r\n");
  assert_true(replica == Identity({false, "0123456789abcdef"}));
}

void what_does_not_say_it_is_nobody(void**) {
  const std::string whole = "role:master\r\nmaster_replid:" + id;
  assert_true(parse_identity(whole).has_value());
  // A text that ends early never says more than it holds.
  for (std::size_t i = 0; i + 24 < whole.size(); ++i) {
    assert_false(parse_identity(whole.substr(0, i)).has_value());
  }
  for (const Bytes text :
       {"\r\n\r\n", "role:master\r\n", "master_replid:0123456789abcdef\r\n",
        "role:master\r\nmaster_replid:0123456789ABCDEF\r\n",
        "role:\r\nmaster_replid:0123456789abcdef\r\n",
        "xrole:master\r\nmaster_replid:0123456789abcdef\r\n"}) {
    assert_false(parse_identity(text).has_value());
  }
}

}  // namespace
}  // namespace paperboy::broker::redis

int main() {
  using namespace paperboy::broker::redis;
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_server_says_its_role_and_its_history),
      cmocka_unit_test(what_does_not_say_it_is_nobody),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
