#include "base/revocation.hpp"

#include <string>

#include "test.hpp"

namespace paperboy {
namespace {

void is_what_it_was(void**) {
  const Revocation all{.name_space = "shop",
                       .token = "id",
                       .user = "ann",
                       .channel = std::string("shop\0news", 9),
                       .before = 17,
                       .until = 4'000'000'000};
  const auto read = decode_revocation(encode(all));
  assert_true(read.has_value());
  assert_true(read->name_space == "shop" && read->token == "id");
  assert_true(read->user == "ann" && read->channel == all.channel);
  assert_int_equal(read->before, 17);
  assert_int_equal(read->until, 4'000'000'000);
}

void no_user_is_not_the_user_without_a_name(void**) {
  assert_false(decode_revocation(encode(Revocation{}))->user.has_value());
  assert_true(decode_revocation(encode(Revocation{.user = ""}))->user == "");
}

void what_another_build_wrote_is_none(void**) {
  std::string text = encode(Revocation{.token = "id"});
  for (std::size_t size = 0; size < text.size(); ++size) {
    assert_false(decode_revocation(Bytes(text).substr(0, size)).has_value());
  }
  assert_false(decode_revocation(text + "x").has_value());
  text[0] = 2;
  assert_false(decode_revocation(text).has_value());
}

}  // namespace
}  // namespace paperboy

int main() {
  using namespace paperboy;
  const CMUnitTest tests[] = {
      cmocka_unit_test(is_what_it_was),
      cmocka_unit_test(no_user_is_not_the_user_without_a_name),
      cmocka_unit_test(what_another_build_wrote_is_none),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
