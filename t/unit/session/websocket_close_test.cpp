// The closing handshake (RFC 6455 sections 5.5.1 and 7), from either side, and
// what the log line says of it.
#include <string>

#include "session/fakes.hpp"

namespace paperboy::session {
namespace {

using Side = Summary::Side;

void a_clients_close_is_echoed_and_the_socket_ends(void**) {
  World world;
  Client client(world);
  client.open_in({"news"});
  client.close(4000, "bye");
  assert_text(client.heard(), "close 4000 bye\n");
  assert_true(client.transport.finishing);
  assert_false(client.transport.aborted);
  assert_true(client.socket.closing());
  assert_ended(client, 4000, Side::client, "bye");
  client.socket.lost();
  assert_true(client.transport.aborted);
  assert_ended(client, 4000, Side::client, "bye");
}

void a_close_without_a_code_is_answered_without_one(void**) {
  World world;
  Client client(world);
  client.open_in({});
  client.say(ws::client_frame(ws::Opcode::close, {}));
  assert_text(client.heard(), "close\n");
  assert_ended(client, 1005, Side::client, "");
}

void our_close_waits_for_the_clients(void**) {
  World world;
  Client client(world);
  client.open_in({"news"});
  client.socket.shut_down();
  client.flush();
  assert_text(client.heard(), "close 1001 the server goes away\n");
  assert_false(client.transport.finishing);
  client.close(1001);
  assert_text(client.heard(), "");
  assert_true(client.transport.finishing);
  assert_false(client.transport.aborted);
  assert_ended(client, 1001, Side::server, "the server goes away");
}

void a_close_that_isnt_answered_ends_after_close_timeout(void**) {
  World world;
  Client client(world);
  client.open_in({});
  client.socket.shut_down();
  world.pass(world.settings.close_timeout_ms - 100);
  assert_false(client.transport.aborted);
  world.pass(400);
  assert_true(client.transport.aborted);
  assert_ended(client, 1001, Side::server, "the server goes away");
}

void a_client_that_keeps_talking_gets_no_more_time(void**) {
  World world;
  world.settings.close_timeout_ms = 1000;
  Client client(world);
  client.open_in({});
  client.socket.shut_down();
  for (int i = 0; i < 20 && !client.transport.aborted; ++i) {
    world.pass(100);
    client.text("still here");
  }
  assert_true(client.transport.aborted);
}

void a_client_that_keeps_its_socket_after_the_handshake_is_cut_off(void**) {
  World world;
  world.settings.close_timeout_ms = 1000;
  Client client(world);
  client.open_in({});
  client.close(1000);
  for (int i = 0; i < 20 && !client.transport.aborted; ++i) {
    world.pass(100);
    client.say("anything");
  }
  assert_true(client.transport.aborted);
  assert_ended(client, 1000, Side::client, "");
}

void a_violation_is_answered_and_ends_the_socket(void**) {
  World world;
  Client client(world);
  client.open_in({"news"});
  client.say(ws::client_frame(ws::Opcode{3}, "x"));
  const std::string heard = client.heard();
  assert_true(heard.starts_with("close 1002 "));
  assert_true(client.transport.finishing);
  const Summary summary = client.socket.summary();
  assert_int_equal(summary.code, 1002);
  assert_true(summary.closed_by == Side::server);
  assert_false(summary.reason.empty());
  client.text("not heard any more");
  assert_text(client.heard(), "");
}

void a_violation_after_our_close_keeps_our_reason(void**) {
  World world;
  Client client(world);
  client.open_in({});
  client.socket.shut_down();
  client.say(ws::client_frame(ws::Opcode{3}, "x"));
  assert_text(client.heard(), "close 1001 the server goes away\n");
  assert_true(client.transport.finishing);
  assert_ended(client, 1001, Side::server, "the server goes away");
}

void text_that_isnt_utf8_is_1007(void**) {
  World world;
  Client client(world);
  client.open_in({});
  client.text("\xff");
  assert_text(client.heard(), "close 1007 text is not UTF-8\n");
}

void nothing_follows_our_close_frame(void**) {
  World world;
  world.settings.client_publish = true;
  Client client(world);
  client.open_in({"news"});
  world.broker.bring("news", "before");
  world.turn();
  client.socket.shut_down();
  client.socket.shut_down();
  world.broker.bring("news", "after");
  world.turn();
  client.ping("x");
  client.text("not published");
  client.close(1000);
  world.broker.bring("news", "and later");
  world.turn();
  assert_text(client.heard(), "text before\nclose 1001 the server goes away\n");
  const Summary summary = client.socket.summary();
  assert_int_equal(summary.messages_received, 0);
  assert_int_equal(summary.messages_sent, 1);
  assert_int_equal(world.count(Counter::publications), 0);
}

void nothing_follows_the_answer_to_the_clients(void**) {
  World world;
  world.settings.dialect = dialect::find("echo");
  Client client(world);
  client.open_in({"news"});
  std::string bytes = ws::client_frame(ws::Opcode::text, "a");
  bytes += ws::client_frame(ws::Opcode::close, "\x03\xe8");
  bytes += ws::client_frame(ws::Opcode::text, "b");
  bytes += ws::client_frame(ws::Opcode::ping, "c");
  world.broker.bring("news", "in the same turn");
  client.socket.receive(bytes);
  world.turn();
  assert_text(client.heard(), "text a\nclose 1000\n");
}

void an_ended_connection_leaves_its_channels(void**) {
  World world;
  Client client(world);
  client.open_in({"news", "chat"});
  client.socket.shut_down();
  client.flush();
  assert_int_equal(world.broker.subscribers(), 0);
  assert_int_equal(world.count(Counter::subscriptions), 0);
  assert_text(client.socket.channels(), "news, chat");
}

void what_was_queued_leaves_before_the_close(void**) {
  World world;
  Client client(world);
  client.open_in({"news"});
  client.transport.room = 3;
  world.broker.bring("news", "hello");
  world.turn();
  client.socket.shut_down();
  client.flush();
  client.transport.room = 1000;
  client.flush();
  assert_text(client.heard(), "text hello\nclose 1001 the server goes away\n");
}

void a_lost_socket_is_1006_by_the_client(void**) {
  World world;
  Client client(world);
  client.open_in({"news"});
  client.socket.lost();
  assert_true(client.transport.aborted);
  assert_ended(client, 1006, Side::client, "");
  assert_text(client.socket.channels(), "news");
}

void a_socket_lost_while_closing_keeps_the_first_reason(void**) {
  World world;
  Client client(world);
  client.open_in({});
  client.socket.shut_down();
  client.flush();
  client.socket.lost();
  assert_true(client.transport.aborted);
  assert_ended(client, 1001, Side::server, "the server goes away");
}

void who_never_ended_was_ended_by_nobody(void**) {
  World world;
  Client client(world);
  client.open_in({"news"});
  assert_ended(client, 1006, Side::nobody, "");
  assert_false(client.socket.closing());
}

void an_end_before_the_start_is_kept(void**) {
  World world;
  Client client(world);
  Admission admission;
  admission.channels = {"news"};
  assert_true(client.socket.open(admission).ok());
  world.broker.bring_at("news", {7, 5}, "x");
  world.turn();
  client.socket.start();
  assert_text(client.heard(),
              "close 3010 messages were lost: subscribe again\n");
  world.pass(world.settings.close_timeout_ms + 300);
  assert_true(client.transport.aborted);
}

}  // namespace
}  // namespace paperboy::session

int main() {
  using namespace paperboy::session;
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_clients_close_is_echoed_and_the_socket_ends),
      cmocka_unit_test(a_close_without_a_code_is_answered_without_one),
      cmocka_unit_test(our_close_waits_for_the_clients),
      cmocka_unit_test(a_close_that_isnt_answered_ends_after_close_timeout),
      cmocka_unit_test(a_client_that_keeps_talking_gets_no_more_time),
      cmocka_unit_test(
          a_client_that_keeps_its_socket_after_the_handshake_is_cut_off),
      cmocka_unit_test(a_violation_is_answered_and_ends_the_socket),
      cmocka_unit_test(a_violation_after_our_close_keeps_our_reason),
      cmocka_unit_test(text_that_isnt_utf8_is_1007),
      cmocka_unit_test(nothing_follows_our_close_frame),
      cmocka_unit_test(nothing_follows_the_answer_to_the_clients),
      cmocka_unit_test(an_ended_connection_leaves_its_channels),
      cmocka_unit_test(what_was_queued_leaves_before_the_close),
      cmocka_unit_test(a_lost_socket_is_1006_by_the_client),
      cmocka_unit_test(a_socket_lost_while_closing_keeps_the_first_reason),
      cmocka_unit_test(who_never_ended_was_ended_by_nobody),
      cmocka_unit_test(an_end_before_the_start_is_kept),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
