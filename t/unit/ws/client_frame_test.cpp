#include "ws/client_frame.hpp"

#include <string>
#include <vector>

#include "ws/client.hpp"

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::ws {
namespace {

using namespace std::string_literals;

constexpr MaskingKey kKey{'\x37', '\xfa', '\x21', '\x3d'};

void assert_bytes(Bytes actual, Bytes expected) {
  assert_int_equal(actual.size(), expected.size());
  assert_memory_equal(actual.data(), expected.data(), expected.size());
}

void a_masked_frame_is_that_of_rfc_6455_section_5_7(void**) {
  std::string out;
  append_client_frame(out, Opcode::text, "Hello", kKey);
  assert_bytes(out, "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
}

void what_a_client_writes_a_server_reads(void**) {
  for (const std::size_t size :
       {0U, 1U, 7U, 8U, 9U, 125U, 126U, 65535U, 65536U}) {
    std::string message;
    for (std::size_t i = 0; i < size; ++i) {
      message.push_back(static_cast<char>('a' + i % 26));
    }
    std::string stream;
    append_client_frame(stream, Opcode::ping, "?", kKey);
    append_client_frame(stream, Opcode::binary, message, kKey);
    append_client_close(stream, {close::kNormal, "done"}, kKey);
    const std::string events =
        receive(stream, {.max_message_size = 1 << 20}, {});
    const std::string expected =
        "ping ?\nbinary " + message + "\nclose 1000 done\n";
    assert_bytes(events, expected);
  }
}

void a_close_without_a_code_is_empty(void**) {
  std::string out;
  append_client_close(out, {close::kNoStatus, "not sent"}, kKey);
  assert_bytes(out, "\x88\x80\x37\xfa\x21\x3d");
}

std::string server_stream() {
  std::string stream;
  append_frame(stream, Opcode::text, "Hello");
  stream.append("\x01\x03Hel", 5);  // fragments, a ping between them
  append_frame(stream, Opcode::ping, "?");
  stream.append("\x80\x02lo", 4);
  append_frame(stream, Opcode::binary, std::string(300, 'x'));
  append_close(stream, {close::kShutdown, "shutdown"});
  return stream;
}

void what_a_server_writes_a_client_reads_however_it_is_cut(void**) {
  const std::string stream = server_stream();
  const std::string expected = "text Hello\nping ?\ntext Hello\nbinary " +
                               std::string(300, 'x') +
                               "\nclose 3001 shutdown\n";
  const ReceiverOptions options{.sender = Sender::server};
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    const std::size_t cuts[] = {cut};
    assert_string_equal(receive(stream, options, cuts).c_str(),
                        expected.c_str());
  }
  std::vector<std::size_t> all;
  for (std::size_t cut = 1; cut < stream.size(); ++cut) all.push_back(cut);
  assert_string_equal(receive(stream, options, all).c_str(), expected.c_str());
}

void a_masked_frame_of_a_server_is_a_violation(void**) {
  const ReceiverOptions options{.sender = Sender::server};
  assert_string_equal(
      receive(client_frame(Opcode::text, "Hello"), options, {}).c_str(),
      "violation 1002 frame masked\n");
}

void a_message_beyond_the_limit_ends_at_its_header(void**) {
  const ReceiverOptions options{.max_message_size = 10,
                                .sender = Sender::server};
  assert_string_equal(receive("\x81\x0b"s, options, {}).c_str(),
                      "violation 1009 message too big\n");
}

}  // namespace
}  // namespace paperboy::ws

int main() {
  using namespace paperboy::ws;
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_masked_frame_is_that_of_rfc_6455_section_5_7),
      cmocka_unit_test(what_a_client_writes_a_server_reads),
      cmocka_unit_test(a_close_without_a_code_is_empty),
      cmocka_unit_test(what_a_server_writes_a_client_reads_however_it_is_cut),
      cmocka_unit_test(a_masked_frame_of_a_server_is_a_violation),
      cmocka_unit_test(a_message_beyond_the_limit_ends_at_its_header),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
