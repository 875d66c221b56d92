#include "session/codecs.hpp"

#include "test.hpp"

namespace paperboy::session {
namespace {

Variant compressed(int window_bits, int level, std::size_t threshold) {
  return {.dialect = dialect::find("raw"),
          .window_bits = window_bits,
          .level = level,
          .threshold = threshold};
}

void a_variant_has_one_encoder(void**) {
  Codecs codecs;
  Encoder& plain = codecs.encoder({.dialect = dialect::find("raw")});
  Encoder& deflated = codecs.encoder(compressed(15, 6, 256));
  assert_ptr_not_equal(&plain, &deflated);
  assert_ptr_equal(&plain, &codecs.encoder({.dialect = dialect::find("raw")}));
  assert_ptr_equal(&deflated, &codecs.encoder(compressed(15, 6, 256)));
}

void whatever_changes_the_bytes_makes_a_variant(void**) {
  Codecs codecs;
  const Variant echo{.dialect = dialect::find("echo")};
  Encoder* const encoders[] = {
      &codecs.encoder({.dialect = dialect::find("raw")}),
      &codecs.encoder(echo),
      &codecs.encoder(compressed(15, 6, 256)),
      &codecs.encoder(compressed(9, 6, 256)),
      &codecs.encoder(compressed(15, 1, 256)),
      &codecs.encoder(compressed(15, 6, 0)),
  };
  for (Encoder* const& one : encoders) {
    for (Encoder* const& other : encoders) {
      assert_true((one == other) == (&one == &other));
    }
  }
  assert_ptr_equal(encoders[1], &codecs.encoder(echo));
}

void a_window_and_level_have_one_compressor(void**) {
  Codecs codecs;
  ws::Deflater& deflater = codecs.deflater(15, 6);
  assert_ptr_not_equal(&deflater, &codecs.deflater(14, 6));
  assert_ptr_not_equal(&deflater, &codecs.deflater(15, 5));
  assert_ptr_equal(&deflater, &codecs.deflater(15, 6));
}

void all_share_one_inflater(void**) {
  Codecs codecs;
  assert_ptr_equal(&codecs.inflater(), &codecs.inflater());
}

}  // namespace
}  // namespace paperboy::session

int main() {
  using namespace paperboy::session;
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_variant_has_one_encoder),
      cmocka_unit_test(whatever_changes_the_bytes_makes_a_variant),
      cmocka_unit_test(a_window_and_level_have_one_compressor),
      cmocka_unit_test(all_share_one_inflater),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
