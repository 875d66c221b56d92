// The receiver where permessage-deflate was negotiated (RFC 7692 section 6).
#include <numeric>
#include <string>
#include <vector>

#include "ws/client.hpp"
#include "ws/deflate.hpp"
#include "ws/receiver.hpp"

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::ws {
namespace {

using namespace std::literals;

constexpr Bytes kHello = "\xf2\x48\xcd\xc9\xc9\x07\x00"sv;
constexpr Bytes kHelloAgain = "\xf2\x00\x11\x00\x00"sv;

ReceiverOptions with_takeover() {
  ReceiverOptions options;
  options.deflate = true;
  return options;
}

void assert_events(const std::string& actual, Bytes expected) {
  assert_string_equal(actual.c_str(), std::string(expected).c_str());
}

void assert_received(Bytes stream, Bytes expected,
                     const ReceiverOptions& options) {
  assert_events(receive(stream, options, {}), expected);
  std::vector<std::size_t> everywhere(stream.size());
  std::iota(everywhere.begin(), everywhere.end(), 0);
  assert_events(receive(stream, options, everywhere), expected);
  for (std::size_t i = 0; i <= stream.size(); ++i) {
    const std::size_t cut[] = {i};
    assert_events(receive(stream, options, cut), expected);
  }
}

void assert_violation(Bytes stream, unsigned code,
                      const ReceiverOptions& options) {
  const std::string whole = receive(stream, options, {});
  const std::string start = "violation " + std::to_string(code) + " ";
  assert_string_equal(whole.substr(0, start.size()).c_str(), start.c_str());
  assert_received(stream, whole, options);
}

std::string packed(Bytes payload, Opcode opcode = Opcode::text,
                   bool fin = true) {
  return client_frame(opcode, payload, {.fin = fin, .rsv1 = true});
}
std::string more(Bytes payload, bool fin) {
  return client_frame(Opcode::continuation, payload, {.fin = fin});
}
std::string squeezed(Bytes message) {
  Deflater deflater;
  std::string out;
  assert_true(deflater.compress(message, out));
  return out;
}

void compressed_messages_are_inflated(void**) {
  Inflater shared;
  ReceiverOptions options = with_takeover();
  options.inflater = &shared;
  assert_received(packed(kHello), "text Hello\n", options);
  assert_received(packed(kHello) + packed(kHello, Opcode::binary),
                  "text Hello\nbinary Hello\n", options);
}

void fragments_are_inflated_together(void**) {
  assert_received(packed(kHello.substr(0, 3), Opcode::text, false) +
                      client_frame(Opcode::ping, "p") +
                      more(kHello.substr(3), true),
                  "ping p\ntext Hello\n", with_takeover());
  assert_received(
      packed("", Opcode::binary, false) + more(kHello, false) + more("", true),
      "binary Hello\n", with_takeover());
}

void messages_may_stay_uncompressed(void**) {
  assert_received(client_frame(Opcode::text, "plain") + packed(kHello) +
                      client_frame(Opcode::text, "plain"),
                  "text plain\ntext Hello\ntext plain\n", with_takeover());
}

void a_window_is_kept_with_takeover(void**) {
  assert_received(packed(kHello) + client_frame(Opcode::text, "plain") +
                      packed(kHelloAgain) + packed(kHelloAgain),
                  "text Hello\ntext plain\ntext Hello\ntext Hello\n",
                  with_takeover());
}

void a_shared_inflater_keeps_no_window(void**) {
  Inflater shared;
  ReceiverOptions options = with_takeover();
  options.inflater = &shared;
  assert_events(receive(packed(kHello) + packed(kHelloAgain), options, {}),
                "text Hello\nviolation 1007 message does not inflate\n");
  assert_events(receive(packed(kHello), options, {}), "text Hello\n");
}

void an_empty_compressed_message_is_received(void**) {
  assert_received(packed("\x00"s) + packed("") + packed(kHello),
                  "text \ntext \ntext Hello\n", with_takeover());
}

void a_smaller_window_is_enough(void**) {
  for (int bits = kMinWindowBits; bits <= kMaxWindowBits; ++bits) {
    ReceiverOptions options = with_takeover();
    options.window_bits = bits;
    Deflater deflater(bits);
    std::string stream;
    std::string expected;
    for (int i = 0; i < 5; ++i) {
      const std::string message(5000, static_cast<char>('a' + i));
      std::string payload;
      assert_true(deflater.compress(message, payload));
      stream += packed(payload);
      expected += "text " + message + "\n";
    }
    assert_events(receive(stream, options, {}), expected);
  }
}

void rsv1_without_deflate_is_refused(void**) {
  assert_violation(packed(kHello), 1002, {});
}

void rsv1_on_other_frames_is_refused(void**) {
  assert_violation(packed("", Opcode::ping), 1002, with_takeover());
  assert_violation(packed("", Opcode::close), 1002, with_takeover());
  assert_violation(packed(kHello.substr(0, 3), Opcode::text, false) +
                       packed(kHello.substr(3), Opcode::continuation),
                   1002, with_takeover());
}

void what_does_not_inflate_is_refused(void**) {
  assert_violation(packed("\xff\xff\xff"), 1007, with_takeover());
  assert_violation(packed(kHello.substr(0, 4)), 1007, with_takeover());
}

void inflated_text_is_utf_8(void**) {
  assert_violation(packed(squeezed("\xce")), 1007, with_takeover());
  assert_received(packed(squeezed("\xce"), Opcode::binary), "binary \xce\n",
                  with_takeover());
  assert_received(packed(squeezed("\xce\xba")), "text \xce\xba\n",
                  with_takeover());
}

void the_limit_is_for_what_comes_out(void**) {
  ReceiverOptions options = with_takeover();
  options.max_message_size = 1000;
  const std::string most(1000, 'x');
  assert_received(packed(squeezed(most)), "text " + most + "\n", options);
  assert_violation(packed(squeezed(most + "x")), 1009, options);
}

void a_bomb_is_refused(void**) {
  const std::string bomb = packed(squeezed(std::string(32 << 20, 'x')));
  const std::size_t cut[] = {bomb.size() / 2};
  assert_events(receive(bomb, with_takeover(), cut),
                "violation 1009 message too big\n");
}

void what_deflate_makes_longer_is_within_the_limit(void**) {
  // A stored block: five bytes more than the message.
  ReceiverOptions options = with_takeover();
  options.max_message_size = 5;
  assert_received(packed("\x00\x05\x00\xfa\xffHello\x00"s), "text Hello\n",
                  options);
}

void a_compressed_message_far_over_the_limit_is_refused_at_its_header(void**) {
  ReceiverOptions options = with_takeover();
  options.max_message_size = 800;
  const std::string header = packed(std::string(965, 'x')).substr(0, 8);
  assert_violation(header, 1009, options);
}

void a_window_is_all_that_stays(void**) {
  Receiver receiver;
  Recorder recorder;
  const ReceiverOptions options = with_takeover();
  std::string first = packed(kHello);
  assert_false(receiver.feed(first, recorder, options).has_value());
  assert_true(receiver.idle());
  std::string second = packed(kHelloAgain);
  assert_false(receiver.feed(second, recorder, options).has_value());
  assert_events(recorder.events, "text Hello\ntext Hello\n");
}

}  // namespace
}  // namespace paperboy::ws

int main() {
  using namespace paperboy::ws;
  const CMUnitTest tests[] = {
      cmocka_unit_test(compressed_messages_are_inflated),
      cmocka_unit_test(fragments_are_inflated_together),
      cmocka_unit_test(messages_may_stay_uncompressed),
      cmocka_unit_test(a_window_is_kept_with_takeover),
      cmocka_unit_test(a_shared_inflater_keeps_no_window),
      cmocka_unit_test(an_empty_compressed_message_is_received),
      cmocka_unit_test(a_smaller_window_is_enough),
      cmocka_unit_test(rsv1_without_deflate_is_refused),
      cmocka_unit_test(rsv1_on_other_frames_is_refused),
      cmocka_unit_test(what_does_not_inflate_is_refused),
      cmocka_unit_test(inflated_text_is_utf_8),
      cmocka_unit_test(the_limit_is_for_what_comes_out),
      cmocka_unit_test(a_bomb_is_refused),
      cmocka_unit_test(what_deflate_makes_longer_is_within_the_limit),
      cmocka_unit_test(
          a_compressed_message_far_over_the_limit_is_refused_at_its_header),
      cmocka_unit_test(a_window_is_all_that_stays),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
