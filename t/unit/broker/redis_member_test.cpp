#include "broker/redis_member.hpp"

#include <string>

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::broker::redis {
namespace {

void a_member_is_as_it_was(void**) {
  const Member whole{.client = "c",
                     .user = "\xC3\xBC\n1 \"u\"",
                     .conn_info = R"({"a":[1]})",
                     .chan_info = "null"};
  for (const Member& member : {whole, Member{}, Member{.client = "only"}}) {
    for (const bool announced : {false, true}) {
      const std::string text = pack(member, announced);
      const auto read = unpack(text);
      assert_true(read.has_value());
      assert_true(read->client == member.client && read->user == member.user);
      assert_true(read->conn_info == member.conn_info);
      assert_true(read->chan_info == member.chan_info);
      assert_true(text.starts_with(announced ? "1 1 " : "1 0 "));
    }
  }
}

void what_is_cut_or_longer_is_none(void**) {
  const std::string text = pack({.client = "c", .user = "ann"}, true);
  for (std::size_t size = 0; size < text.size(); ++size) {
    assert_false(unpack(Bytes(text).substr(0, size)).has_value());
  }
  assert_false(unpack(text + "x").has_value());
}

void what_another_wrote_is_none(void**) {
  for (const char* const text :
       {"2 0 1 0 0 0\nc", "1 2 1 0 0 0\nc", "1 0 x 0 0 0\nc", "1 0 1 0 0\nc",
        "1 0 1 0 0 0 0\nc", "1 0 -1 0 0 0\nc", "1 0 +1 0 0 0\nc",
        "1 0  1 0 0 0\nc", "1 0 99999999999999999999 0 0 0\nc", "\n", ""}) {
    assert_false(unpack(text).has_value());
  }
}

const CMUnitTest kTests[] = {
    cmocka_unit_test(a_member_is_as_it_was),
    cmocka_unit_test(what_is_cut_or_longer_is_none),
    cmocka_unit_test(what_another_wrote_is_none),
};

}  // namespace
}  // namespace paperboy::broker::redis

int main() {
  return cmocka_run_group_tests_name(
      "redis_member", paperboy::broker::redis::kTests, nullptr, nullptr);
}
