#include "base/packing.hpp"

#include <string>

#include "test.hpp"

namespace paperboy {
namespace {

void what_was_put_is_read(void**) {
  std::string out;
  put(out, 0);
  put(out, UINT64_MAX);
  put(out, Bytes("a\0b", 3));
  put(out, Bytes());
  put(out, 2);
  put(out, Bytes("x"));
  put(out, Bytes("y"));
  Unpacker in(out);
  assert_int_equal(in.number(), 0);
  assert_true(in.number() == UINT64_MAX);
  assert_true(in.text() == Bytes("a\0b", 3));
  assert_true(in.text().empty());
  assert_false(in.at_end());
  const auto texts = in.texts();
  assert_true(texts.size() == 2 && texts[0] == "x" && texts[1] == "y");
  assert_true(in.at_end() && in.done());
}

void numbers_are_the_same_on_every_machine(void**) {
  std::string out;
  put(out, 0x0102030405060708);
  assert_true(out == "\x08\x07\x06\x05\x04\x03\x02\x01");
}

void what_is_cut_is_not_done(void**) {
  std::string out;
  put(out, 7);
  put(out, Bytes("text"));
  for (std::size_t size = 0; size < out.size(); ++size) {
    Unpacker in(Bytes(out).substr(0, size));
    (void)in.number();
    assert_true(in.text().empty());
    assert_false(in.good() || in.done());
    assert_int_equal(in.number(), 0);
  }
}

void a_count_of_strings_that_lies_is_not_done(void**) {
  std::string out;
  put(out, UINT64_MAX);
  put(out, Bytes("x"));
  Unpacker in(out);
  assert_int_equal(in.texts().size(), 2);  // and the one that isn't there
  assert_false(in.done());
}

const CMUnitTest kTests[] = {
    cmocka_unit_test(what_was_put_is_read),
    cmocka_unit_test(numbers_are_the_same_on_every_machine),
    cmocka_unit_test(what_is_cut_is_not_done),
    cmocka_unit_test(a_count_of_strings_that_lies_is_not_done),
};

}  // namespace
}  // namespace paperboy

int main() {
  return cmocka_run_group_tests_name("packing", paperboy::kTests, nullptr,
                                     nullptr);
}
