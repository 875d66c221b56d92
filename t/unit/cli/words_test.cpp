#include "cli/words.hpp"

#include <cstdint>
#include <limits>
#include <string>

#include "test.hpp"

namespace paperboy::cli {
namespace {

using namespace std::string_literals;

void durations_have_units(void**) {
  assert_true(seconds_of("0") == 0);
  assert_true(seconds_of("90") == 90);
  assert_true(seconds_of("90s") == 90);
  assert_true(seconds_of("10m") == 600);
  assert_true(seconds_of("1h30m") == 5400);
  assert_true(seconds_of("1w1d") == 8 * 86400);
  for (const Bytes bad : {"", "m", "10x", "10m5", "1m1h", "1m1m", "-1m", "1.5h",
                          " 1m", "99999999999999999999s", "9999999999999w"}) {
    if (seconds_of(bad)) fail_msg("%s", bad.data());
  }
}

void distances_are_said_in_words(void**) {
  assert_string_equal(distance_text(0).c_str(), "now");
  assert_string_equal(distance_text(1).c_str(), "in 1 second");
  assert_string_equal(distance_text(599).c_str(), "in 9 minutes");
  assert_string_equal(distance_text(-7200).c_str(), "2 hours ago");
  assert_string_equal(distance_text(-86400).c_str(), "1 day ago");
  assert_string_equal(distance_text(86400 * 15).c_str(), "in 2 weeks");
  assert_true(distance_text(std::numeric_limits<std::int64_t>::min())
                  .ends_with(" ago"));
}

void times_are_said_in_utc(void**) {
  assert_string_equal(utc_text(0).c_str(), "1970-01-01 00:00:00 UTC");
  assert_string_equal(utc_text(1767225600).c_str(), "2026-01-01 00:00:00 UTC");
  assert_string_equal(
      utc_text(std::numeric_limits<std::int64_t>::max()).c_str(), "");
}

void foreign_bytes_do_not_reach_a_terminal(void**) {
  assert_string_equal(printable("plain gr\u00fcn \"x\"").c_str(),
                      "plain gr\u00fcn \"x\"");
  assert_string_equal(printable("a\x1b[31m\n\t\r\x7f").c_str(),
                      "a\\x1b[31m\\n\\t\\r\\x7f");
  assert_string_equal(printable("\xc2\x9b"
                                "1m")
                          .c_str(),
                      "\\x9b1m");
  assert_string_equal(printable("a\xff").c_str(), "a\\xff");
  assert_string_equal(printable("a\0b"s).c_str(), "a\\x00b");
}

void a_message_is_one_line(void**) {
  assert_string_equal(one_line("a\r\nb\tc").c_str(), "a\\r\\nb\tc");
}

void base64_is_that_of_rfc_4648_section_10(void**) {
  assert_string_equal(base64("").c_str(), "");
  assert_string_equal(base64("f").c_str(), "Zg==");
  assert_string_equal(base64("fooba").c_str(), "Zm9vYmE=");
  assert_string_equal(base64("foobar").c_str(), "Zm9vYmFy");
}

}  // namespace
}  // namespace paperboy::cli

int main() {
  using namespace paperboy::cli;
  const CMUnitTest tests[] = {
      cmocka_unit_test(durations_have_units),
      cmocka_unit_test(distances_are_said_in_words),
      cmocka_unit_test(times_are_said_in_utc),
      cmocka_unit_test(foreign_bytes_do_not_reach_a_terminal),
      cmocka_unit_test(a_message_is_one_line),
      cmocka_unit_test(base64_is_that_of_rfc_4648_section_10),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
