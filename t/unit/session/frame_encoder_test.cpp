#include "session/frame_encoder.hpp"

#include <string>

#include "test.hpp"

namespace paperboy::session {
namespace {

using namespace std::string_literals;

const std::string thousand(1000, 'x');

Publication publication(Bytes data, Kind kind = Kind::text) {
  return {"news", {1, 1}, kind, data};
}

Variant raw(int window_bits = 0, std::size_t threshold = 0) {
  return {.dialect = dialect::find("raw"),
          .window_bits = window_bits,
          .level = 6,
          .threshold = threshold};
}

/// What a client makes of one small compressed frame.
std::string inflated(Bytes frame) {
  assert_true(frame.size() >= 2 && frame[0] == '\xc1');
  assert_int_equal(frame[1], frame.size() - 2);
  ws::Inflater inflater;
  std::string out;
  assert_true(inflater.inflate(frame.substr(2), 1 << 20, out) ==
              ws::InflateResult::ok);
  return out;
}

void publications_are_frames_one_after_the_other(void**) {
  Codecs codecs;
  FrameEncoder encoder(codecs, raw());
  std::string out;
  encoder.encode(publication("a"), out);
  encoder.encode(publication("\xff", Kind::binary), out);
  encoder.encode(publication(""), out);
  assert_true(out == "\x81\x01"s + "a\x82\x01\xff\x81\x00"s);
}

void a_compressed_frame_stands_alone(void**) {
  Codecs codecs;
  FrameEncoder encoder(codecs, raw(15));
  std::string first;
  std::string second;
  encoder.encode(publication(thousand), first);
  encoder.encode(publication(thousand), second);
  assert_true(first == second);
  assert_true(inflated(second) == thousand);
}

void the_threshold_is_the_first_size_that_is_compressed(void**) {
  Codecs codecs;
  FrameEncoder encoder(codecs, raw(15, 100));
  std::string below;
  std::string at;
  encoder.encode(publication(std::string(99, 'x')), below);
  encoder.encode(publication(std::string(100, 'x')), at);
  assert_true(below == "\x81\x63" + std::string(99, 'x'));
  assert_true(inflated(at) == std::string(100, 'x'));
}

void without_a_compressor_nothing_is_compressed(void**) {
  std::string out;
  append_message(out, {Kind::text, "xxxxxxxxxxxxxxxx"}, nullptr, 0);
  assert_true(out == "\x81\x10xxxxxxxxxxxxxxxx");
}

void what_is_no_shorter_goes_as_it_is_and_is_forgotten(void**) {
  ws::Deflater deflater;
  std::string out;
  append_message(out, {Kind::text, "abcdefgh"}, &deflater, 0);
  append_message(out, {Kind::text, ""}, &deflater, 0);
  assert_true(out ==
              "\x81\x08"
              "abcdefgh\x81\x00"s);
  out.clear();
  append_message(out, {Kind::text, "abcdefghabcdefghabcdefgh"}, &deflater, 0);
  assert_true(inflated(out) == "abcdefghabcdefghabcdefgh");
}

}  // namespace
}  // namespace paperboy::session

int main() {
  using namespace paperboy::session;
  const CMUnitTest tests[] = {
      cmocka_unit_test(publications_are_frames_one_after_the_other),
      cmocka_unit_test(a_compressed_frame_stands_alone),
      cmocka_unit_test(the_threshold_is_the_first_size_that_is_compressed),
      cmocka_unit_test(without_a_compressor_nothing_is_compressed),
      cmocka_unit_test(what_is_no_shorter_goes_as_it_is_and_is_forgotten),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
