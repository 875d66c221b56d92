#include "hub/key.hpp"

#include <string>

#include "test.hpp"

namespace paperboy::hub {
namespace {

using namespace std::string_literals;

constexpr std::size_t kMax = 255;

void assert_key(Bytes name_space, Bytes name, const std::string& expected) {
  const auto key = channel_key(name_space, name, kMax);
  assert_true(key.ok());
  assert_true(*key == expected);
  assert_true(channel_name(*key) == name);
  assert_true(channel_namespace(*key) == name_space);
}

void assert_refused(Bytes name, std::size_t max = kMax) {
  const auto key = channel_key("shop", name, max);
  assert_false(key.ok());
  assert_true(key.error().code == ErrorCode::channel_name);
  assert_false(key.error().message.empty());
}

void a_key_is_the_name_within_its_namespace(void**) {
  assert_key("", "news", "news");
  assert_key("shop", "news", "shop\0news"s);
  assert_key("shop.example", "r\xC3\xA9sum\xC3\xA9 / 1",
             "shop.example\0r\xC3\xA9sum\xC3\xA9 / 1"s);
}

void namespaces_never_meet(void**) {
  assert_true(*channel_key("a", "b", kMax) != *channel_key("", "ab", kMax));
  assert_true(*channel_key("a", "bc", kMax) != *channel_key("ab", "c", kMax));
  assert_refused("a\0b"s);
  assert_false(channel_key("\0orders"s, "a", kMax).ok());
}

void the_limit_is_the_names(void**) {
  assert_key("a namespace", std::string(kMax, 'x'),
             "a namespace\0"s + std::string(kMax, 'x'));
  assert_refused(std::string(kMax + 1, 'x'));
  assert_refused("12345", 4);
}

void what_is_no_name_is_refused(void**) {
  assert_refused("");
  assert_refused("\0"s);
  assert_refused("\xff");
  assert_refused("cut \xE2\x82");
}

void a_name_without_a_namespace_is_its_own_key(void**) {
  const Bytes name = "news";
  std::string room = "shop\0of the last one"s;
  assert_true(check_key("", name, kMax).ok());
  assert_true(join_key("", name, room).data() == name.data());
  assert_true(join_key("shop", name, room) == "shop\0news"s);
  assert_true(join_key("shop", "a", room) == "shop\0a"s);
}

}  // namespace
}  // namespace paperboy::hub

int main() {
  using namespace paperboy::hub;
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_key_is_the_name_within_its_namespace),
      cmocka_unit_test(namespaces_never_meet),
      cmocka_unit_test(the_limit_is_the_names),
      cmocka_unit_test(what_is_no_name_is_refused),
      cmocka_unit_test(a_name_without_a_namespace_is_its_own_key),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
