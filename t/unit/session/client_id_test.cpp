#include "session/client_id.hpp"

#include <set>

#include "test.hpp"

using paperboy::session::client_text;
using paperboy::session::ClientIds;
using paperboy::session::make_client_id;
using paperboy::session::parse_uuid;
using paperboy::session::uuid_text;

namespace {

void an_id_is_32_digits(void**) {
  assert_string_equal(client_text({0x0123456789abcdef, 1}).c_str(),
                      "0123456789abcdef0000000000000001");
}

void no_two_are_the_same(void**) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(client_text(make_client_id()));
  assert_int_equal(seen.size(), 1000);
}

void an_id_is_a_random_uuid(void**) {
  assert_string_equal(uuid_text({0x0123456789abcdef, 1}).c_str(),
                      "01234567-89ab-cdef-0000-000000000001");
  for (int i = 0; i < 100; ++i) {
    const auto id = make_client_id();
    const std::string text = uuid_text(id);
    assert_int_equal(text.size(), 36);
    assert_int_equal(text[14], '4');
    assert_true(std::string("89ab").find(text[19]) != std::string::npos);
    assert_true(parse_uuid(text) == id);
  }
}

void a_number_has_an_id_of_its_own_and_keeps_it(void**) {
  ClientIds ids;
  ClientIds others;
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t number = ids.next();
    const std::string text = uuid_text(ids.of(number));
    assert_true(parse_uuid(text) == ids.of(number));
    assert_int_equal(text[14], '4');
    assert_true(std::string("89ab").find(text[19]) != std::string::npos);
    seen.insert(text);
    seen.insert(uuid_text(others.of(others.next())));
  }
  assert_int_equal(seen.size(), 2000);
}

void what_is_no_uuid_is_none(void**) {
  for (const char* const text : {"", "x", "01234567-89ab-4def-8000-00000000000",
                                 "01234567-89ab-4def-8000-0000000000011",
                                 "01234567-89AB-4def-8000-000000000001",
                                 "0123456789ab4def8000000000000001",
                                 "01234567-89ab-4def-8000-00000000000g",
                                 "0123456-789ab-4def-8000-000000000001",
                                 "-1234567-89ab-4def-8000-000000000001"}) {
    assert_false(parse_uuid(text).has_value());
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(an_id_is_32_digits),
      cmocka_unit_test(no_two_are_the_same),
      cmocka_unit_test(an_id_is_a_random_uuid),
      cmocka_unit_test(a_number_has_an_id_of_its_own_and_keeps_it),
      cmocka_unit_test(what_is_no_uuid_is_none),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
