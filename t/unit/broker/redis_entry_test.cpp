#include "broker/redis_entry.hpp"

#include <string>

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::broker::redis {
namespace {

constexpr Bytes kId = "00c0ffee00c0ffee";

/// With an id in the place of the @.
std::string whole(Bytes text) {
  std::string all(text);
  const std::size_t at = all.find('@');
  return at == Bytes::npos ? all : all.replace(at, 1, kId);
}

void an_entry_is_read(void**) {
  const std::string text =
      whole("1 e5 48 9000 @ 1790000000123 t m 8\n\"info\":1hi");
  const auto entry = parse_entry(text);
  assert_true(entry.has_value());
  assert_true(entry->position == (Position{0xe5, 48}));
  assert_int_equal(entry->sequence, 9000);
  assert_true(entry->replication_id == kId);
  assert_int_equal(entry->ms, 1790000000123);
  assert_true(entry->kind == Kind::text);
  assert_true(entry->event == Event::message);
  assert_false(entry->removal);
  assert_true(entry->extra == "\"info\":1");
  assert_true(entry->data == "hi");
}

void events_are_read(void**) {
  assert_true(parse_entry(whole("1 1 0 0 @ 0 t p 0\n"))->event ==
              Event::passing);
  assert_true(parse_entry(whole("1 1 0 0 @ 0 t j 0\n{}"))->event ==
              Event::join);
  assert_true(parse_entry(whole("1 1 0 0 @ 0 t l 0\n{}"))->event ==
              Event::leave);
  assert_true(parse_entry(whole("1 1 0 0 @ 0 t x 0\n"))->removal);
}

void binary_data_may_be_anything(void**) {
  const std::string bytes("\xff\0\n\xfe", 4);
  const std::string text = whole("1 1 1 1 @ 1 b m 0\n") + bytes;
  const auto entry = parse_entry(text);
  assert_true(entry.has_value());
  assert_true(entry->kind == Kind::binary);
  assert_true(entry->data == bytes);
}

void what_is_none_is_refused(void**) {
  for (const Bytes text : {"",
                           "1 1 1 1 1 t m 0\n",
                           "1 1 1 1 0c0ffee00c0ffee 1 t m 0\n",
                           "1 1 1 1 000c0ffee00c0ffee 1 t m 0\n",
                           "1 1 1 1 00C0ffee00c0ffee 1 t m 0\n",
                           "\n",
                           "hello",
                           "1 1 1 1 @ 1 t m 0",
                           "2 1 1 1 @ 1 t m 0\n",
                           "1 0 1 1 @ 1 t m 0\n",
                           "1 01 1 1 @ 1 t m 0\n",
                           "1 G 1 1 @ 1 t m 0\n",
                           "1 1 -1 1 @ 1 t m 0\n",
                           "1 1 1x 1 @ 1 t m 0\n",
                           "1 1 1 1 @ 1 t m 1\n",
                           "1 1 1 1 @ 1 q m 0\n",
                           "1 1 1 1 @ 1 t q 0\n",
                           "1 1 1 1 @ 1 t mm 0\n",
                           "1 1 1 1 @ 1 t m 0 0\n",
                           "1 1 1 1 @ 1 t m 0 \n",
                           "1 1 1 1 @ 1 t m\n",
                           "1 1 1 1 @  1 t m 0\n",
                           "1 1 18446744073709551616 1 @ 1 t m 0\n",
                           "1 1 1 1 @ 1 t m 0\n\xff",
                           "1 1 1 1 @ 1 b m 1\n\xff"}) {
    assert_false(parse_entry(whole(text)).has_value());
  }
}

void every_beginning_of_one_is_refused_or_shorter(void**) {
  const std::string text = whole("1 e5 48 9000 @ 1790000000123 t m 2\nabcd");
  for (std::size_t size = 0; size < text.size(); ++size) {
    const auto entry = parse_entry(Bytes(text).substr(0, size));
    assert_int_equal(entry.has_value(), size >= text.size() - 2);
  }
}

}  // namespace
}  // namespace paperboy::broker::redis

int main() {
  using namespace paperboy::broker::redis;
  const CMUnitTest tests[] = {
      cmocka_unit_test(an_entry_is_read),
      cmocka_unit_test(events_are_read),
      cmocka_unit_test(binary_data_may_be_anything),
      cmocka_unit_test(what_is_none_is_refused),
      cmocka_unit_test(every_beginning_of_one_is_refused_or_shorter),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
