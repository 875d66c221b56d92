#include "ws/frame.hpp"

#include <string>

#include "base/utf8.hpp"
#include "ws/client.hpp"

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::ws {
namespace {

using namespace std::string_literals;

void assert_bytes(Bytes actual, Bytes expected) {
  assert_int_equal(actual.size(), expected.size());
  assert_memory_equal(actual.data(), expected.data(), expected.size());
}

std::string header_of(std::uint64_t length) {
  char out[kMaxServerHeader];
  const std::size_t size = write_header(out, Opcode::binary, length);
  return {out, size};
}

void server_frames_are_those_of_rfc_6455_section_5_7(void**) {
  std::string out;
  append_frame(out, Opcode::text, "Hello");
  assert_bytes(out, "\x81\x05Hello");
  out.clear();
  append_frame(out, Opcode::ping, "Hello");
  assert_bytes(out, "\x89\x05Hello");
  assert_bytes(header_of(256), "\x82\x7E\x01\x00"s);
  assert_bytes(header_of(65536), "\x82\x7F\x00\x00\x00\x00\x00\x01\x00\x00"s);
}

void lengths_take_their_shortest_form(void**) {
  assert_bytes(header_of(0), "\x82\x00"s);
  assert_bytes(header_of(125), "\x82\x7D"s);
  assert_bytes(header_of(126), "\x82\x7E\x00\x7E"s);
  assert_bytes(header_of(65535), "\x82\x7E\xFF\xFF"s);
}

void fragments_and_compression_show_in_the_first_byte(void**) {
  char out[kMaxServerHeader];
  write_header(out, Opcode::text, 0, true, true);
  assert_int_equal(static_cast<unsigned char>(out[0]), 0xC1);
  write_header(out, Opcode::text, 0, false, false);
  assert_int_equal(static_cast<unsigned char>(out[0]), 0x01);
  write_header(out, Opcode::continuation, 0, false, true);
  assert_int_equal(static_cast<unsigned char>(out[0]), 0x80);
}

void a_close_frame_holds_code_and_reason(void**) {
  std::string out;
  append_close(out, {close::kGoingAway, "bye"});
  assert_bytes(out, "\x88\x05\x03\xE9"s + "bye");
}

void codes_that_are_never_sent_make_an_empty_close_frame(void**) {
  for (const std::uint16_t code : {1005, 1006, 1015}) {
    std::string out;
    append_close(out, {code, "not sent"});
    assert_bytes(out, "\x88\x00"s);
  }
}

void a_long_reason_is_cut_between_characters(void**) {
  std::string out;
  append_close(out, {close::kNormal, std::string(200, 'x')});
  assert_int_equal(out.size(), 2 + 125);
  // 122 bytes and a character of two: it would end at byte 124.
  for (const std::size_t ascii : {120U, 121U, 122U, 123U, 124U}) {
    out.clear();
    append_close(out,
                 {close::kNormal, std::string(ascii, 'x') + "\u00e9\u20ac"});
    assert_true(out.size() <= 127);
    assert_true(is_utf8(Bytes(out).substr(4)));
  }
}

FrameHeader parsed(Bytes in, bool deflate = false) {
  const auto result = parse_header(in, deflate);
  assert_true(result.ok());
  assert_true(result.value().has_value());
  return *result.value();
}

void a_masked_header_is_read(void**) {
  const FrameHeader header =
      parsed("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"s);
  assert_int_equal(static_cast<int>(header.opcode), 1);
  assert_true(header.fin);
  assert_false(header.rsv1);
  assert_int_equal(header.length, 5);
  assert_int_equal(header.size, 6);
  assert_memory_equal(header.mask.data(), "\x37\xfa\x21\x3d", 4);
}

void every_prefix_of_a_header_needs_more(void**) {
  for (const std::uint64_t length : {5ULL, 126ULL, 65535ULL, 65536ULL}) {
    std::string header = header_of(length);
    header[1] = static_cast<char>(header[1] | 0x80);
    header += "mask";
    for (std::size_t size = 0; size < header.size(); ++size) {
      const auto result = parse_header(Bytes(header).substr(0, size), false);
      assert_true(result.ok());
      assert_false(result.value().has_value());
    }
    assert_int_equal(parsed(header).length, length);
    assert_int_equal(parsed(header).size, header.size());
  }
}

void the_longest_length_is_of_63_bits(void**) {
  const std::string most = "\x82\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFFmask"s;
  assert_true(parsed(most).length == ~0ULL >> 1);
}

void rsv1_is_for_data_messages_with_deflate(void**) {
  assert_true(parsed("\xC1\x80mask"s, true).rsv1);
  assert_true(parsed("\x42\x80mask"s, true).rsv1);
}

void assert_refused(Bytes in, bool deflate = false) {
  const auto result = parse_header(in, deflate);
  assert_false(result.ok());
  assert_int_equal(result.error().code, close::kProtocolError);
}

void a_bad_first_byte_is_refused_at_once(void**) {
  for (int opcode = 0; opcode < 16; ++opcode) {
    const bool known = opcode < 3 || (opcode > 7 && opcode < 11);
    const std::string plain(1, static_cast<char>(0x80 | opcode));
    assert_int_equal(parse_header(plain, false).ok(), known);
    for (const int rsv : {0x10, 0x20, 0x30, 0x50, 0x70}) {
      const std::string bad(1, static_cast<char>(0x80 | rsv | opcode));
      assert_refused(bad, true);
    }
    const std::string rsv1(1, static_cast<char>(0xC0 | opcode));
    assert_refused(rsv1, false);
    const bool data = opcode == 1 || opcode == 2;
    assert_int_equal(parse_header(rsv1, true).ok(), data);
  }
}

void fragmented_control_frames_are_refused(void**) {
  assert_refused("\x08");
  assert_refused("\x09");
  assert_refused("\x0A");
}

void a_frame_without_mask_is_refused(void**) {
  assert_refused("\x81\x05");
  assert_refused("\x88\x00"s);
}

void control_frames_over_125_bytes_are_refused(void**) {
  assert_true(parse_header("\x89\xFD", false).ok());
  assert_refused("\x89\xFE");
  assert_refused("\x89\xFF");
}

void lengths_longer_than_needed_are_refused(void**) {
  assert_refused("\x81\xFE\x00\x7D"s);
  assert_refused("\x81\xFE\x00\x00"s);
  assert_refused("\x81\xFF\x00\x00\x00\x00\x00\x00\xFF\xFF"s);
  assert_refused("\x81\xFF\x00\x00\x00\x00\x00\x00\x00\x05"s);
}

void a_length_with_its_top_bit_set_is_refused(void**) {
  assert_refused("\x81\xFF\x80\x00\x00\x00\x00\x00\x00\x00"s);
}

void unmasking_is_xor_at_any_size_offset_and_alignment(void**) {
  const std::array<char, 4> mask{'\x37', '\xfa', '\x21', '\x3d'};
  for (std::size_t size = 0; size < 40; ++size) {
    for (std::size_t offset = 0; offset < 9; ++offset) {
      std::string data = "abc" + std::string(size, 'x') + "def";
      unmask(data.data() + 3, size, mask, offset);
      for (std::size_t i = 0; i < size; ++i) {
        const auto want = static_cast<char>('x' ^ mask[(offset + i) % 4]);
        assert_int_equal(data[3 + i], want);
      }
      assert_bytes(data.substr(0, 3), "abc");
      assert_bytes(data.substr(3 + size), "def");
    }
  }
}

void an_offset_beyond_32_bits_turns_the_mask_too(void**) {
  std::string data(1, '\0');
  unmask(data.data(), 1, {'a', 'b', 'c', 'd'}, (1ULL << 40) + 2);
  assert_bytes(data, "c");
}

}  // namespace
}  // namespace paperboy::ws

int main() {
  using namespace paperboy::ws;
  const CMUnitTest tests[] = {
      cmocka_unit_test(server_frames_are_those_of_rfc_6455_section_5_7),
      cmocka_unit_test(lengths_take_their_shortest_form),
      cmocka_unit_test(fragments_and_compression_show_in_the_first_byte),
      cmocka_unit_test(a_close_frame_holds_code_and_reason),
      cmocka_unit_test(codes_that_are_never_sent_make_an_empty_close_frame),
      cmocka_unit_test(a_long_reason_is_cut_between_characters),
      cmocka_unit_test(a_masked_header_is_read),
      cmocka_unit_test(every_prefix_of_a_header_needs_more),
      cmocka_unit_test(the_longest_length_is_of_63_bits),
      cmocka_unit_test(rsv1_is_for_data_messages_with_deflate),
      cmocka_unit_test(a_bad_first_byte_is_refused_at_once),
      cmocka_unit_test(fragmented_control_frames_are_refused),
      cmocka_unit_test(a_frame_without_mask_is_refused),
      cmocka_unit_test(control_frames_over_125_bytes_are_refused),
      cmocka_unit_test(lengths_longer_than_needed_are_refused),
      cmocka_unit_test(a_length_with_its_top_bit_set_is_refused),
      cmocka_unit_test(unmasking_is_xor_at_any_size_offset_and_alignment),
      cmocka_unit_test(an_offset_beyond_32_bits_turns_the_mask_too),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
