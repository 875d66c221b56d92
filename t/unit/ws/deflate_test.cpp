#include "ws/deflate.hpp"

#include <cstdint>
#include <string>

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::ws {
namespace {

using namespace std::literals;

constexpr std::size_t kLimit = 1 << 20;

void assert_bytes(Bytes actual, Bytes expected) {
  assert_int_equal(actual.size(), expected.size());
  assert_memory_equal(actual.data(), expected.data(), expected.size());
}

std::string compressed(Deflater& deflater, Bytes message) {
  std::string out;
  assert_true(deflater.compress(message, out));
  return out;
}

void assert_inflates(Inflater& inflater, Bytes payload, Bytes expected) {
  std::string out;
  assert_int_equal(static_cast<int>(inflater.inflate(payload, kLimit, out)),
                   static_cast<int>(InflateResult::ok));
  assert_bytes(out, expected);
}

void assert_fails(Bytes payload, InflateResult expected) {
  Inflater inflater;
  std::string out;
  assert_int_equal(static_cast<int>(inflater.inflate(payload, kLimit, out)),
                   static_cast<int>(expected));
}

// Text that refers far back and bytes that don't, the same at every run.
std::string sample(std::size_t size, unsigned seed) {
  std::string text;
  std::uint32_t state = seed;
  while (text.size() < size) {
    state = state * 1664525 + 1013904223;
    if (state >> 31 != 0 && text.size() > 600) {
      text.append(text, state % 512, 40);
    } else {
      text.push_back(static_cast<char>(state >> 24));
    }
  }
  text.resize(size);
  return text;
}

constexpr Bytes kHello = "\xf2\x48\xcd\xc9\xc9\x07\x00"sv;

void hello_of_section_7_2_3_1(void**) {
  Deflater deflater;
  assert_bytes(compressed(deflater, "Hello"), kHello);
  Inflater inflater;
  assert_inflates(inflater, kHello, "Hello");
}

void a_shared_window_of_section_7_2_3_2(void**) {
  Deflater deflater;
  assert_bytes(compressed(deflater, "Hello"), kHello);
  assert_bytes(compressed(deflater, "Hello"), "\xf2\x00\x11\x00\x00"s);
  Inflater inflater;
  assert_inflates(inflater, kHello, "Hello");
  assert_inflates(inflater, "\xf2\x00\x11\x00\x00"s, "Hello");
}

void a_stored_block_of_section_7_2_3_3(void**) {
  Inflater inflater;
  assert_inflates(inflater, "\x00\x05\x00\xfa\xffHello\x00"s, "Hello");
}

void a_final_block_of_section_7_2_3_4(void**) {
  Inflater inflater;
  assert_inflates(inflater, "\xf3\x48\xcd\xc9\xc9\x07\x00\x00"s, "Hello");
  // The window goes on after it.
  assert_inflates(inflater, "\xf2\x00\x11\x00\x00"s, "Hello");
}

void two_blocks_of_section_7_2_3_5(void**) {
  Inflater inflater;
  assert_inflates(inflater,
                  "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"s,
                  "Hello");
}

void an_empty_message_of_section_7_2_3_6(void**) {
  Deflater deflater;
  assert_bytes(compressed(deflater, ""), "\x00"s);
  assert_bytes(compressed(deflater, "Hello"), kHello);
  assert_bytes(compressed(deflater, ""), "\x00"s);
  assert_bytes(compressed(deflater, ""), "\x00"s);
  Inflater inflater;
  assert_inflates(inflater, "\x00"s, "");
  assert_inflates(inflater, "\x02\x00"s, "");
  assert_inflates(inflater, kHello, "Hello");
}

void no_payload_at_all_is_an_empty_message(void**) {
  Inflater inflater;
  assert_inflates(inflater, "", "");
  assert_inflates(inflater, kHello, "Hello");
}

void a_final_block_without_padding_is_taken(void**) {
  Inflater inflater;
  assert_inflates(inflater, "\xf3\x48\xcd\xc9\xc9\x07\x00"s, "Hello");
  assert_inflates(inflater, "\xf2\x00\x11\x00\x00"s, "Hello");
}

void several_final_blocks_are_taken(void**) {
  const std::string final_block = "\xf3\x48\xcd\xc9\xc9\x07\x00"s;
  Inflater inflater;
  assert_inflates(inflater, final_block + final_block + "\x00"s, "HelloHello");
}

void compressing_appends(void**) {
  Deflater deflater;
  std::string out = "before";
  assert_true(deflater.compress("Hello", out));
  assert_bytes(out, "before"s.append(kHello));
}

void inflating_appends(void**) {
  Inflater inflater;
  std::string out = "before";
  assert_true(inflater.inflate(kHello, 5, out) == InflateResult::ok);
  assert_bytes(out, "beforeHello");
}

void messages_go_round_with_takeover_in_every_window(void**) {
  for (int bits = kMinWindowBits; bits <= kMaxWindowBits; ++bits) {
    Deflater deflater(bits);
    Inflater inflater(bits);
    for (const std::size_t size : {1U, 5U, 600U, 0U, 40000U, 16384U, 200000U}) {
      const std::string message = sample(size, 7);
      assert_inflates(inflater, compressed(deflater, message), message);
    }
  }
}

void messages_go_round_without_takeover_in_every_window(void**) {
  Inflater shared;
  for (int bits = kMinWindowBits; bits <= kMaxWindowBits; ++bits) {
    Deflater deflater(bits);
    for (const std::size_t size : {1U, 5U, 600U, 0U, 40000U, 200000U}) {
      const std::string message = sample(size, 7);
      deflater.reset();
      shared.reset();
      assert_inflates(shared, compressed(deflater, message), message);
    }
  }
}

void every_level_goes_round(void**) {
  for (int level = 1; level <= 9; ++level) {
    Deflater deflater(kMaxWindowBits, level);
    Inflater inflater;
    const std::string message = sample(100000, 3);
    assert_inflates(inflater, compressed(deflater, message), message);
  }
}

void after_a_reset_a_message_stands_alone(void**) {
  Deflater deflater;
  assert_bytes(compressed(deflater, "Hello"), kHello);
  deflater.reset();
  assert_bytes(compressed(deflater, "Hello"), kHello);
}

void a_message_that_needs_a_window_fails_after_a_reset(void**) {
  Inflater inflater;
  assert_inflates(inflater, kHello, "Hello");
  inflater.reset();
  std::string out;
  assert_true(inflater.inflate("\xf2\x00\x11\x00\x00"s, kLimit, out) ==
              InflateResult::invalid);
  inflater.reset();
  assert_inflates(inflater, kHello, "Hello");
}

void sizes_around_the_inner_buffer_go_round(void**) {
  for (std::size_t size = 16 * 1024 - 40; size < 16 * 1024 + 40; ++size) {
    Deflater deflater;
    Inflater inflater;
    const std::string message = sample(size, 11);
    assert_inflates(inflater, compressed(deflater, message), message);
    const std::string same(size, 'x');
    assert_inflates(inflater, compressed(deflater, same), same);
  }
}

void the_limit_is_exact(void**) {
  for (const std::size_t size : {1U, 5U, 16383U, 16384U, 16385U, 100000U}) {
    const std::string message(size, 'x');
    Deflater deflater;
    const std::string payload = compressed(deflater, message);
    Inflater inflater;
    std::string out;
    assert_true(inflater.inflate(payload, size, out) == InflateResult::ok);
    inflater.reset();
    assert_true(inflater.inflate(payload, size - 1, out) ==
                InflateResult::too_big);
  }
}

void a_bomb_stops_at_the_limit(void**) {
  Deflater deflater;
  const std::string bomb = compressed(deflater, std::string(64 << 20, '\0'));
  assert_true(bomb.size() < 100000);
  Inflater inflater;
  std::string out;
  assert_true(inflater.inflate(bomb, 1000, out) == InflateResult::too_big);
  assert_true(out.size() <= 1001);
  assert_true(out.capacity() < 4096);
}

void what_is_no_deflate_is_told(void**) {
  assert_fails("\x06"s, InflateResult::invalid);  // reserved block type
  assert_fails("\xff\xff\xff"s, InflateResult::invalid);
  assert_fails("\x00\x05\x00\x05\x00Hello"s, InflateResult::invalid);
}

void a_payload_cut_short_is_told(void**) {
  const std::string message = sample(2000, 5);
  Deflater deflater;
  const std::string payload = compressed(deflater, message);
  for (std::size_t size = 1; size < payload.size(); ++size) {
    Inflater inflater;
    std::string out;
    const auto result =
        inflater.inflate(Bytes(payload).substr(0, size), kLimit, out);
    // The last bits may be padding that the tail makes up for.
    assert_true(result == InflateResult::invalid || out == message);
  }
}

void a_tail_that_was_not_taken_off_is_told(void**) {
  assert_fails(std::string(kHello) + "\x00\x00\xff\xff"s,
               InflateResult::invalid);
}

void a_window_that_zlib_lacks_is_no_crash(void**) {
  Deflater deflater(8);
  std::string out = "before";
  assert_false(deflater.compress("Hello", out));
  assert_bytes(out, "before");
  deflater.reset();
  Inflater inflater(7);
  assert_true(inflater.inflate(kHello, kLimit, out) ==
              InflateResult::no_memory);
  inflater.reset();
}

void what_was_never_used_can_be_reset(void**) {
  Deflater deflater;
  deflater.reset();
  Inflater inflater;
  inflater.reset();
}

}  // namespace
}  // namespace paperboy::ws

int main() {
  using namespace paperboy::ws;
  const CMUnitTest tests[] = {
      cmocka_unit_test(hello_of_section_7_2_3_1),
      cmocka_unit_test(a_shared_window_of_section_7_2_3_2),
      cmocka_unit_test(a_stored_block_of_section_7_2_3_3),
      cmocka_unit_test(a_final_block_of_section_7_2_3_4),
      cmocka_unit_test(two_blocks_of_section_7_2_3_5),
      cmocka_unit_test(an_empty_message_of_section_7_2_3_6),
      cmocka_unit_test(no_payload_at_all_is_an_empty_message),
      cmocka_unit_test(a_final_block_without_padding_is_taken),
      cmocka_unit_test(several_final_blocks_are_taken),
      cmocka_unit_test(compressing_appends),
      cmocka_unit_test(inflating_appends),
      cmocka_unit_test(messages_go_round_with_takeover_in_every_window),
      cmocka_unit_test(messages_go_round_without_takeover_in_every_window),
      cmocka_unit_test(every_level_goes_round),
      cmocka_unit_test(after_a_reset_a_message_stands_alone),
      cmocka_unit_test(a_message_that_needs_a_window_fails_after_a_reset),
      cmocka_unit_test(sizes_around_the_inner_buffer_go_round),
      cmocka_unit_test(the_limit_is_exact),
      cmocka_unit_test(a_bomb_stops_at_the_limit),
      cmocka_unit_test(what_is_no_deflate_is_told),
      cmocka_unit_test(a_payload_cut_short_is_told),
      cmocka_unit_test(a_tail_that_was_not_taken_off_is_told),
      cmocka_unit_test(a_window_that_zlib_lacks_is_no_crash),
      cmocka_unit_test(what_was_never_used_can_be_reset),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
