// What an id says of each channel.
#include "dialect/event_id.hpp"

#include <string>

#include "test.hpp"

namespace paperboy::dialect {
namespace {

std::string id_of(std::initializer_list<std::pair<Bytes, Position>> places) {
  std::string id;
  for (const auto& [name, position] : places) {
    append_entry(id, channel_tag(name), position);
  }
  return id;
}

void a_position_is_that_of_every_channel(void**) {
  const EventId id("ab:7");
  assert_true(id.in("news") == (Position{0xab, 7}));
  assert_true(id.in("other") == (Position{0xab, 7}));
}

void entries_are_each_of_one_channel(void**) {
  const EventId id(id_of({{"news", {0xab, 7}}, {"weather", {0xcd, 0}}}));
  assert_true(id.in("news") == (Position{0xab, 7}));
  assert_true(id.in("weather") == (Position{0xcd, 0}));
  assert_int_equal(id.in("sports").epoch, 0);
}

void a_tag_is_the_same_in_every_build(void**) {
  assert_int_equal(channel_tag(""), 0x811c9dc5);
  assert_int_equal(channel_tag("a"), 0xe40c292c);
  assert_int_equal(channel_tag("foobar"), 0xbf9cf968);
  assert_string_equal(id_of({{"foobar", {1, 2}}}).c_str(), "bf9cf968=1:2");
}

void what_cant_be_read_is_nowhere(void**) {
  for (const char* const text : {"1",
                                 "nonsense",
                                 "ab:",
                                 ":7",
                                 "ab:7x",
                                 "ab:07",
                                 "0:7",
                                 "AB:7",
                                 "ab:7,",
                                 ",ab:7",
                                 "1=ab:7,",
                                 "1=ab:7,,2=ab:7",
                                 "=ab:7",
                                 "x=ab:7",
                                 "1=",
                                 "1=ab",
                                 "123456789=ab:7",
                                 "1=ab:7,1=ab:8",
                                 "1=ab:7, 2=ab:7",
                                 "-1=ab:7",
                                 "ab:18446744073709551616",
                                 "1ffffffffffffffff:1"}) {
    const EventId id(text);
    assert_true(id.in("news") == kNowhere);
  }
}

void an_id_of_as_many_channels_as_there_may_be_is_short_enough(void**) {
  std::string text;
  for (std::uint32_t i = 0; i < kMaxEventChannels; ++i) {
    append_entry(text, UINT32_MAX - i, kNowhere);
  }
  assert_true(text.size() <= kMaxEventId);
  const EventId id(text);
  assert_int_equal(id.in("news").epoch, 0);
}

void a_longer_one_is_nowhere(void**) {
  std::string text = "1=ab:7";
  for (int i = 2; text.size() <= kMaxEventId; ++i) {
    append_entry(text, static_cast<Tag>(i), {0xab, 7});
  }
  assert_true(EventId(text).in("news") == kNowhere);
}

}  // namespace
}  // namespace paperboy::dialect

int main() {
  using namespace paperboy::dialect;
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_position_is_that_of_every_channel),
      cmocka_unit_test(entries_are_each_of_one_channel),
      cmocka_unit_test(a_tag_is_the_same_in_every_build),
      cmocka_unit_test(what_cant_be_read_is_nowhere),
      cmocka_unit_test(
          an_id_of_as_many_channels_as_there_may_be_is_short_enough),
      cmocka_unit_test(a_longer_one_is_nowhere),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
