#include "hub/notice.hpp"

#include "hub/key.hpp"
#include "test.hpp"

namespace paperboy::hub {
namespace {

using namespace std::string_literals;

void a_notice_comes_back_as_it_was(void**) {
  const Notice notice{.kind = Notice::Kind::copy,
                      .name_space = "shop",
                      .client = "c",
                      .user = "ann",
                      .channel = "news",
                      .position = {7, 9},
                      .data = "d\0d"s,
                      .extra = "\1:e"};
  const auto back = decode_notice(encode(notice));
  assert_true(back.has_value());
  assert_true(back->kind == notice.kind);
  assert_true(back->name_space == "shop" && back->client == "c");
  assert_true(back->user == "ann" && back->channel == "news");
  assert_true(back->position == notice.position);
  assert_true(back->data == notice.data && back->extra == notice.extra);
}

void what_is_no_notice_is_none(void**) {
  const std::string text =
      encode({.kind = Notice::Kind::closed, .name_space = {}, .user = "ann"});
  for (std::size_t n = 0; n < text.size(); ++n) {
    assert_false(decode_notice(Bytes(text).substr(0, n)).has_value());
  }
  assert_false(decode_notice(text + "x").has_value());
  std::string other = text;
  other[0] = 2;  // a version to come
  assert_false(decode_notice(other).has_value());
  other = text;
  other[8] = 9;  // a kind to come
  assert_false(decode_notice(other).has_value());
}

void who_has_to_leave_does_so_at_once(void**) {
  assert_true(is_urgent(
      encode({.kind = Notice::Kind::closed, .name_space = {}, .user = "a"})));
  assert_false(is_urgent(encode({.name_space = {}, .user = "a"})));
  assert_false(
      is_urgent(encode({.kind = Notice::Kind::copy, .name_space = {}})));
  assert_false(is_urgent("x"));
}

void users_channels_stay_on_the_node_and_apart(void**) {
  const std::string ann = user_channel("shop", "ann");
  assert_true(is_user_channel(ann) && stays_on_node(ann));
  assert_true(ann != user_channel("", "shop\0ann"));
  assert_true(ann != user_channel("shop", "anna"));
  assert_false(is_user_channel(kNotices));
  assert_true(stays_on_node(kNotices));
  assert_false(stays_on_node("\0orders"s));
}

}  // namespace
}  // namespace paperboy::hub

int main() {
  using namespace paperboy::hub;
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_notice_comes_back_as_it_was),
      cmocka_unit_test(what_is_no_notice_is_none),
      cmocka_unit_test(who_has_to_leave_does_so_at_once),
      cmocka_unit_test(users_channels_stay_on_the_node_and_apart),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
