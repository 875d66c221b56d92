#include "ws/receiver.hpp"

#include <numeric>
#include <string>
#include <vector>

#include "ws/client.hpp"

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::ws {
namespace {

using namespace std::string_literals;

ReceiverOptions up_to(std::size_t size) {
  ReceiverOptions options;
  options.max_message_size = size;
  return options;
}

void assert_events(const std::string& actual, Bytes expected) {
  assert_string_equal(actual.c_str(), std::string(expected).c_str());
}

// Whole, byte by byte, cut at every place, and (short ones) at every two.
void assert_received(Bytes stream, Bytes expected,
                     const ReceiverOptions& options = {}) {
  assert_events(receive(stream, options, {}), expected);
  std::vector<std::size_t> everywhere(stream.size());
  std::iota(everywhere.begin(), everywhere.end(), 0);
  assert_events(receive(stream, options, everywhere), expected);
  for (std::size_t i = 0; i <= stream.size(); ++i) {
    const std::size_t one[] = {i};
    assert_events(receive(stream, options, one), expected);
    for (std::size_t j = i; stream.size() < 50 && j <= stream.size(); ++j) {
      const std::size_t two[] = {i, j};
      assert_events(receive(stream, options, two), expected);
    }
  }
}

std::string text(Bytes data, bool fin = true) {
  return client_frame(Opcode::text, data, {.fin = fin});
}
std::string binary(Bytes data, bool fin = true) {
  return client_frame(Opcode::binary, data, {.fin = fin});
}
std::string more(Bytes data, bool fin) {
  return client_frame(Opcode::continuation, data, {.fin = fin});
}
std::string ping(Bytes data) { return client_frame(Opcode::ping, data); }
std::string pong(Bytes data) { return client_frame(Opcode::pong, data); }
std::string closing(unsigned code, Bytes reason) {
  std::string payload{static_cast<char>(code >> 8),
                      static_cast<char>(code & 0xFF)};
  return client_frame(Opcode::close, payload.append(reason));
}

void the_masked_hello_of_the_rfc_is_received(void**) {
  assert_received("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"s,
                  "text Hello\n");
}

void messages_are_received_in_order(void**) {
  assert_received(text("a") + binary("b") + text("") + binary("") + text("c"),
                  "text a\nbinary b\ntext \nbinary \ntext c\n");
}

void every_form_of_length_is_received(void**) {
  for (const std::size_t size : {125U, 126U, 127U, 128U, 700U}) {
    const std::string data(size, 'x');
    assert_received(text(data), "text " + data + "\n");
  }
  const ReceiverOptions options = up_to(70000);
  for (const std::size_t size : {65535U, 65536U, 70000U}) {
    const std::string data(size, 'x');
    const std::size_t cuts[] = {1, 2, 9, 10, 13, 14, 20000, 40000};
    assert_events(receive(binary(data), options, cuts),
                  "binary " + data + "\n");
    assert_events(receive(binary(data), options, {}), "binary " + data + "\n");
  }
}

void fragments_are_put_together(void**) {
  assert_received(text("Hel", false) + more("lo", true), "text Hello\n");
  assert_received(binary("a", false) + more("b", false) + more("c", true),
                  "binary abc\n");
  assert_received(text("", false) + more("", false) + more("", true),
                  "text \n");
  assert_received(text("", false) + more("x", false) + more("", true),
                  "text x\n");
}

void control_frames_come_between_fragments(void**) {
  assert_received(text("a", false) + ping("p") + more("b", false) + pong("") +
                      more("c", true),
                  "ping p\npong \ntext abc\n");
  assert_received(text("a", false) + closing(1000, "bye"), "close 1000 bye\n");
}

void pings_and_pongs_are_handed_on(void**) {
  assert_received(ping("") + pong("x") + ping(std::string(125, 'p')),
                  "ping \npong x\nping " + std::string(125, 'p') + "\n");
}

void bytes_of_any_value_are_binary(void**) {
  assert_received(binary("\xff\xfe\x80"s), "binary \xff\xfe\x80\n");
}

void an_incomplete_message_is_kept(void**) {
  assert_received(text("a", false), "incomplete\n");
  assert_received(text("abc").substr(0, 8), "incomplete\n");
  assert_received(text("abc").substr(0, 1), "incomplete\n");
}

void each_message_in_a_frame_of_its_own_starts_anew(void**) {
  assert_received(text("a", false) + more("b", true) + text("c", false) +
                      more("d", true) + text("e"),
                  "text ab\ntext cd\ntext e\n");
}

constexpr Bytes kProtocolError = "violation 1002 ";

void assert_violation(Bytes stream, unsigned code, Bytes before = "",
                      const ReceiverOptions& options = {}) {
  const std::string whole = receive(stream, options, {});
  const std::string start =
      std::string(before) + "violation " + std::to_string(code) + " ";
  assert_string_equal(whole.substr(0, start.size()).c_str(), start.c_str());
  assert_received(stream, whole, options);
}

void a_continuation_of_nothing_is_refused(void**) {
  assert_violation(more("x", true), 1002);
  assert_violation(more("x", false), 1002);
  assert_violation(text("a") + more("x", true), 1002, "text a\n");
  assert_violation(text("a", false) + more("b", true) + more("c", true), 1002,
                   "text ab\n");
}

void a_message_within_a_message_is_refused(void**) {
  assert_violation(text("a", false) + text("b"), 1002);
  assert_violation(binary("a", false) + text("b", false), 1002);
}

void a_frame_without_mask_is_refused(void**) {
  assert_violation("\x81\x05Hello", 1002);
  assert_violation("\x88\x00"s, 1002);
}

void reserved_bits_and_opcodes_are_refused(void**) {
  for (const int rsv : {0x10, 0x20, 0x40, 0x70}) {
    std::string frame = text("x");
    frame[0] = static_cast<char>(frame[0] | rsv);
    assert_violation(ping("p") + frame, 1002, "ping p\n");
  }
  for (const int opcode : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15}) {
    std::string frame = text("x");
    frame[0] = static_cast<char>(0x80 | opcode);
    assert_violation(frame, 1002);
  }
}

void bad_control_frames_are_refused(void**) {
  assert_violation(client_frame(Opcode::ping, "x", {.fin = false}), 1002);
  assert_violation(client_frame(Opcode::close, "", {.fin = false}), 1002);
  assert_violation(ping(std::string(126, 'x')), 1002);
  assert_violation(pong(std::string(126, 'x')), 1002);
}

void a_long_form_of_a_short_length_is_refused(void**) {
  assert_violation("\x81\xFE\x00\x05maskHello"s, 1002);
  assert_violation("\x81\xFF\x00\x00\x00\x00\x00\x00\x00\x05maskHello"s, 1002);
  assert_violation("\x81\xFF\x80\x00\x00\x00\x00\x00\x00\x05maskHello"s, 1002);
}

void text_is_utf_8_across_fragments_and_pieces(void**) {
  const std::string kosme = "\xce\xba\xe1\xbd\xb9\xcf\x83\xf0\x9f\x98\x80";
  assert_received(text(kosme), "text " + kosme + "\n");
  for (std::size_t i = 0; i <= kosme.size(); ++i) {
    assert_received(text(kosme.substr(0, i), false) + ping("") +
                        more(kosme.substr(i), true),
                    "ping \ntext " + kosme + "\n");
  }
}

void text_that_is_no_utf_8_is_refused(void**) {
  for (const char* bad :
       {"\x80", "\xc0\xaf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf", "\xed\xa0\x80",
        "\xf4\x90\x80\x80", "\xfe", "\xff", "a\xce", "\xf0\x9f\x98", "\xe1z"}) {
    assert_violation(text("ok") + text(bad), 1007, "text ok\n");
    assert_violation(text(bad, false) + more("", true), 1007);
    assert_violation(text("", false) + more(bad, true), 1007);
  }
}

void bad_text_is_refused_before_its_end(void**) {
  // The message goes on for long; nothing more than its bad byte has come.
  const std::string frame = text("abc\xff" + std::string(1000, 'x'));
  const std::string so_far = frame.substr(0, 8 + 4);
  assert_violation(so_far, 1007);
  assert_violation(text("\xff", false), 1007);
  assert_violation(text("\xf4", false) + more("\x90", false), 1007);
}

void a_message_is_not_cut_in_a_character(void**) {
  assert_violation(text("\xce", false) + ping("p") + more("", true), 1007,
                   "ping p\n");
  assert_violation(text("\xce", false) + more("\xba\xce", true), 1007);
}

void utf_8_is_checked_anew_in_each_message(void**) {
  assert_violation(text("\xce"), 1007);
  assert_violation(text("a", false) + more("b", true) + text("\xba", false),
                   1007, "text ab\n");
}

void close_frames_are_handed_on(void**) {
  assert_received(client_frame(Opcode::close, ""), "close 1005 \n");
  assert_received(closing(1000, ""), "close 1000 \n");
  assert_received(closing(1001, "g\xc3\xb6"), "close 1001 g\xc3\xb6\n");
  assert_received(closing(4999, std::string(123, 'x')),
                  "close 4999 " + std::string(123, 'x') + "\n");
}

void what_follows_a_close_frame_is_ignored(void**) {
  assert_received(closing(1000, "") + text("x") + "\xff\xff\xff\xff",
                  "close 1000 \n");
}

void every_close_code_is_judged(void**) {
  for (unsigned code = 0; code <= 0xFFFF; ++code) {
    const bool reserved = code == 1004 || code == 1005 || code == 1006;
    const bool good = (code >= 1000 && code <= 1014 && !reserved) ||
                      (code >= 3000 && code <= 4999);
    const std::string events = receive(closing(code, ""), {}, {});
    const std::string want =
        good ? "close " + std::to_string(code) : std::string(kProtocolError);
    assert_string_equal(events.substr(0, want.size()).c_str(), want.c_str());
  }
}

void bad_close_frames_are_refused(void**) {
  assert_violation(client_frame(Opcode::close, "x"), 1002);
  assert_violation(closing(1000, "\xff"), 1007);
  assert_violation(closing(1000, "\xce"), 1007);
  assert_violation(closing(999, "\xff"), 1002);
}

void the_limit_is_for_the_whole_message(void**) {
  const ReceiverOptions options = up_to(4);
  assert_received(text("abcd"), "text abcd\n", options);
  assert_received(text("ab", false) + more("cd", true), "text abcd\n", options);
  assert_violation(text("abcde"), 1009, "", options);
  assert_violation(text("ab", false) + more("cde", true), 1009, "", options);
  assert_violation(text("abcd", false) + more("", false) + more("e", false),
                   1009, "", options);
}

void control_frames_may_be_longer_than_messages(void**) {
  assert_received(ping("12345"), "ping 12345\n", up_to(4));
}

void a_message_that_announces_too_much_is_refused_at_its_header(void**) {
  assert_violation("\x82\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFFmask"s, 1009);
  assert_violation("\x82\xFF\x00\x00\x00\x00\x00\x01\x00\x01mask"s, 1009);
}

void memory_grows_with_what_arrives(void**) {
  // Announced: 1 TiB, within the limit. Arrived: three bytes.
  const std::string stream =
      "\x82\xFF\x00\x00\x01\x00\x00\x00\x00\x00mask"s + "abc";
  assert_received(stream, "incomplete\n", up_to(1ULL << 62));
}

void a_limit_without_bounds_does_not_wrap_round(void**) {
  ReceiverOptions options = up_to(~std::size_t{0});
  options.deflate = true;
  assert_received(text("abc"), "text abc\n", options);
  assert_received(client_frame(Opcode::text, "\xf2\x48\xcd\xc9\xc9\x07\x00"s,
                               {.rsv1 = true}),
                  "text Hello\n", options);
}

void nothing_is_handed_to_a_sink_that_said_stop(void**) {
  for (const int patience : {1, 2, 3}) {
    Receiver receiver;
    Recorder recorder;
    recorder.patience = patience;
    std::string stream = text("a") + ping("b") + text("c", false) +
                         more("d", true) + pong("e") + "\xff\xff";
    assert_false(receiver.feed(stream, recorder, {}).has_value());
    assert_true(receiver.closed());
    const std::string all = "text a\nping b\ntext cd\n";
    const std::size_t sizes[] = {0, 7, 14, 22};
    assert_events(recorder.events, all.substr(0, sizes[patience]));
    std::string again = text("x");
    assert_false(receiver.feed(again, recorder, {}).has_value());
    assert_int_equal(recorder.events.size(), sizes[patience]);
  }
}

void a_message_whole_in_the_input_is_not_copied(void**) {
  struct Where : Recorder {
    bool on_message(Kind, Bytes data) override {
      seen = data.data();
      return true;
    }
    const char* seen = nullptr;
  } where;
  Receiver receiver;
  std::string stream = text("Hello");
  assert_false(receiver.feed(stream, where, {}).has_value());
  assert_ptr_equal(where.seen, stream.data() + 6);
}

void an_idle_receiver_is_small(void**) {
  assert_true(sizeof(Receiver) <= 16);
  Receiver receiver;
  Recorder recorder;
  std::string half = text("Hello").substr(0, 8);
  assert_false(receiver.feed(half, recorder, {}).has_value());
  assert_false(receiver.idle());
  std::string rest = text("Hello").substr(8);
  assert_false(receiver.feed(rest, recorder, {}).has_value());
  assert_true(receiver.idle());
  assert_events(recorder.events, "text Hello\n");
}

void a_receiver_moves_with_what_it_holds(void**) {
  Receiver receiver;
  Recorder recorder;
  std::string first = text("Hel", false);
  assert_false(receiver.feed(first, recorder, {}).has_value());
  Receiver moved = std::move(receiver);
  std::string second = more("lo", true);
  assert_false(moved.feed(second, recorder, {}).has_value());
  assert_events(recorder.events, "text Hello\n");
}

}  // namespace
}  // namespace paperboy::ws

int main() {
  using namespace paperboy::ws;
  const CMUnitTest tests[] = {
      cmocka_unit_test(the_masked_hello_of_the_rfc_is_received),
      cmocka_unit_test(messages_are_received_in_order),
      cmocka_unit_test(every_form_of_length_is_received),
      cmocka_unit_test(fragments_are_put_together),
      cmocka_unit_test(control_frames_come_between_fragments),
      cmocka_unit_test(pings_and_pongs_are_handed_on),
      cmocka_unit_test(bytes_of_any_value_are_binary),
      cmocka_unit_test(an_incomplete_message_is_kept),
      cmocka_unit_test(each_message_in_a_frame_of_its_own_starts_anew),
      cmocka_unit_test(a_continuation_of_nothing_is_refused),
      cmocka_unit_test(a_message_within_a_message_is_refused),
      cmocka_unit_test(a_frame_without_mask_is_refused),
      cmocka_unit_test(reserved_bits_and_opcodes_are_refused),
      cmocka_unit_test(bad_control_frames_are_refused),
      cmocka_unit_test(a_long_form_of_a_short_length_is_refused),
      cmocka_unit_test(text_is_utf_8_across_fragments_and_pieces),
      cmocka_unit_test(text_that_is_no_utf_8_is_refused),
      cmocka_unit_test(bad_text_is_refused_before_its_end),
      cmocka_unit_test(a_message_is_not_cut_in_a_character),
      cmocka_unit_test(utf_8_is_checked_anew_in_each_message),
      cmocka_unit_test(close_frames_are_handed_on),
      cmocka_unit_test(what_follows_a_close_frame_is_ignored),
      cmocka_unit_test(every_close_code_is_judged),
      cmocka_unit_test(bad_close_frames_are_refused),
      cmocka_unit_test(the_limit_is_for_the_whole_message),
      cmocka_unit_test(control_frames_may_be_longer_than_messages),
      cmocka_unit_test(
          a_message_that_announces_too_much_is_refused_at_its_header),
      cmocka_unit_test(memory_grows_with_what_arrives),
      cmocka_unit_test(a_limit_without_bounds_does_not_wrap_round),
      cmocka_unit_test(nothing_is_handed_to_a_sink_that_said_stop),
      cmocka_unit_test(a_message_whole_in_the_input_is_not_copied),
      cmocka_unit_test(an_idle_receiver_is_small),
      cmocka_unit_test(a_receiver_moves_with_what_it_holds),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
