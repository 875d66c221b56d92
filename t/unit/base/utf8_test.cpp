#include "base/utf8.hpp"

#include <cstdint>
#include <string>

#include "test.hpp"

namespace paperboy {
namespace {

// The encoding of any number, right or wrong, in `size` bytes (RFC 3629).
std::string encoded(std::uint32_t number, int size) {
  if (size == 1) return {static_cast<char>(number)};
  std::string bytes;
  for (int i = 1; i < size; ++i, number >>= 6) {
    bytes.insert(bytes.begin(), static_cast<char>(0x80 | (number & 0x3F)));
  }
  const std::uint32_t lead = 0xFF00U >> size & 0xFF;
  bytes.insert(bytes.begin(), static_cast<char>(lead | number));
  return bytes;
}

bool is_character(std::uint32_t number, int size) {
  const std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = number >= 0xD800 && number <= 0xDFFF;
  return number >= least[size] && number <= 0x10FFFF && !surrogate;
}

void assert_every_number_of(int size, std::uint32_t end) {
  for (std::uint32_t number = 0; number < end; ++number) {
    if (is_utf8(encoded(number, size)) != is_character(number, size)) {
      print_error("U+%X in %d bytes\n", number, size);
      assert_true(false);
    }
  }
}

void every_character_is_taken_and_no_other_number_in_any_length(void**) {
  assert_every_number_of(1, 0x80);
  assert_every_number_of(2, 0x800);
  assert_every_number_of(3, 0x10000);
  assert_every_number_of(4, 0x200000);
}

void bytes_that_never_occur_are_refused(void**) {
  for (const int byte :
       {0x80, 0xBF, 0xC0, 0xC1, 0xF5, 0xF8, 0xFC, 0xFE, 0xFF}) {
    Utf8 utf8;
    const auto c = static_cast<char>(byte);
    assert_false(utf8.feed({&c, 1}));
  }
}

void nothing_is_valid(void**) { assert_true(is_utf8("")); }

void a_character_cut_short_is_incomplete_but_not_wrong(void**) {
  for (const char* text : {"\u00e9", "\u20ac", "\U0001F600", "\u0800",
                           "\U00010000", "\ud7ff", "\U0010FFFF"}) {
    const Bytes whole = text;
    for (std::size_t size = 1; size < whole.size(); ++size) {
      Utf8 utf8;
      assert_true(utf8.feed(whole.substr(0, size)));
      assert_false(utf8.complete());
      assert_false(is_utf8(whole.substr(0, size)));
      assert_true(utf8.feed(whole.substr(size)));
      assert_true(utf8.complete());
    }
  }
}

void it_fails_at_the_first_byte_that_nothing_can_mend(void**) {
  for (const char* start : {"\xe0\x9f", "\xed\xa0", "\xf0\x8f", "\xf4\x90",
                            "\xce\xce", "\xe1\x80z", "\xf1\x80\x80\x20"}) {
    Utf8 utf8;
    const Bytes bytes = start;
    assert_true(utf8.feed(bytes.substr(0, bytes.size() - 1)));
    assert_false(utf8.feed(bytes.substr(bytes.size() - 1)));
  }
}

void once_wrong_it_stays_wrong_until_reset(void**) {
  Utf8 utf8;
  assert_false(utf8.feed("\xff"));
  assert_false(utf8.feed("a"));
  assert_false(utf8.feed(""));
  assert_false(utf8.complete());
  utf8.reset();
  assert_true(utf8.feed("a"));
  assert_true(utf8.complete());
}

void a_wrong_byte_is_found_at_any_place_in_ascii(void**) {
  for (std::size_t size = 1; size < 40; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      std::string text(size, 'x');
      assert_true(is_utf8(text));
      text[at] = '\x80';
      assert_false(is_utf8(text));
    }
  }
}

void a_character_is_taken_at_any_place_in_ascii(void**) {
  for (std::size_t before = 0; before < 20; ++before) {
    for (std::size_t after = 0; after < 20; ++after) {
      assert_true(is_utf8(std::string(before, 'x') + "\u20ac" +
                          std::string(after, 'y')));
    }
  }
}

void the_verdict_does_not_depend_on_the_pieces(void**) {
  for (const char* text :
       {"plain text of some length", "\u03ba\u1f79\u03c3\u03bc\u03b5 and more",
        "\U0001F600\U0001F600", "abc\xed\xa0\x80 def", "long text, then \xce",
        "0123456\u20ac89abcdef\xc0"}) {
    const Bytes whole = text;
    for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
      Utf8 utf8;
      utf8.feed(whole.substr(0, cut));
      const bool good = utf8.feed(whole.substr(cut)) && utf8.complete();
      assert_int_equal(good, is_utf8(whole));
    }
  }
}

}  // namespace
}  // namespace paperboy

int main() {
  using namespace paperboy;
  const CMUnitTest tests[] = {
      cmocka_unit_test(
          every_character_is_taken_and_no_other_number_in_any_length),
      cmocka_unit_test(bytes_that_never_occur_are_refused),
      cmocka_unit_test(nothing_is_valid),
      cmocka_unit_test(a_character_cut_short_is_incomplete_but_not_wrong),
      cmocka_unit_test(it_fails_at_the_first_byte_that_nothing_can_mend),
      cmocka_unit_test(once_wrong_it_stays_wrong_until_reset),
      cmocka_unit_test(a_wrong_byte_is_found_at_any_place_in_ascii),
      cmocka_unit_test(a_character_is_taken_at_any_place_in_ascii),
      cmocka_unit_test(the_verdict_does_not_depend_on_the_pieces),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
