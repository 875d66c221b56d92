// Messages both ways, what they are refused for, limits, numbers. How a
// connection ends, its heartbeats and its compression have files of their own.
#include "session/websocket.hpp"

#include <memory>

#include "session/fakes.hpp"

namespace paperboy::session {
namespace {

constexpr auto kServer = Summary::Side::server;

void a_broadcast_reaches_its_subscribers(void**) {
  World world;
  Client one(world);
  Client two(world);
  Client other(world);
  one.open_in({"news"});
  two.open_in({"news", "chat"});
  other.open_in({"chat"});
  world.broker.bring("news", "a");
  world.broker.bring("news", "\xff", Kind::binary);
  world.broker.bring("chat", "");
  world.turn();
  assert_text(one.heard(), "text a\nbinary \xff\n");
  assert_text(other.heard(), "text\n");
  const std::string both = two.heard();
  assert_true(both == "text a\nbinary \xff\ntext\n" ||
              both == "text\ntext a\nbinary \xff\n");
}

void a_burst_is_one_shared_run(void**) {
  World world;
  Client client(world);
  client.open_in({"news"});
  for (int i = 0; i < 64; ++i) world.broker.bring("news", "x");
  world.turn();
  assert_int_equal(client.transport.shared, 1);
  assert_int_equal(client.socket.summary().messages_sent, 64);
}

void echo_answers_every_message(void**) {
  World world;
  world.settings.dialect = dialect::find("echo");
  Client client(world);
  client.open_in({});
  client.text("a");
  client.say(ws::client_frame(ws::Opcode::binary, "\xff"));
  assert_text(client.heard(), "text a\nbinary \xff\n");
  const std::string large(70'000, 'x');
  world.settings.max_message_size = large.size();
  client.text(large);
  assert_text(client.heard(), ("text " + large + "\n").c_str());
}

void a_clients_message_is_published_where_that_is_allowed(void**) {
  World world;
  world.settings.client_publish = true;
  Client sender(world);
  Client reader(world);
  sender.open_in({"news"});
  reader.open_in({"news"});
  sender.text("hello");
  world.turn();
  assert_text(sender.heard(), "text hello\n");
  assert_text(reader.heard(), "text hello\n");
  assert_int_equal(world.count(Counter::publications), 1);
  assert_int_equal(world.count(Counter::publish_errors), 0);
}

void publishing_is_refused_by_default(void**) {
  World world;
  Client client(world);
  client.open_in({"news"});
  client.text("hello");
  assert_text(client.heard(), "close 1008 clients don't publish here\n");
  assert_ended(client, 1008, kServer, "clients don't publish here");
}

void publishing_is_refused_without_the_right(void**) {
  World world;
  world.settings.client_publish = true;
  Client client(world);
  Admission admission;
  admission.channels = {"news"};
  assert_true(client.open(admission).ok());
  client.text("hello");
  assert_text(client.heard(),
              "close 1008 the token doesn't allow publishing here\n");
}

void a_full_log_asks_to_come_back_later(void**) {
  World world;
  world.settings.client_publish = true;
  Client client(world);
  client.open_in({"news"});
  world.broker.refusal = Error{ErrorCode::log_full, "the log is full"};
  client.text("hello");
  assert_text(client.heard(), "close 1013 the log is full\n");
  assert_int_equal(world.count(Counter::publish_errors), 1);
}

void a_late_reply_finds_nobody(void**) {
  World world;
  world.settings.client_publish = true;
  world.broker.hold_replies = true;
  auto client = std::make_unique<Client>(world);
  client->open_in({"news"});
  client->text("hello");
  client.reset();
  world.broker.answer_held();
  assert_int_equal(world.count(Counter::publications), 1);
}

void a_late_reply_to_an_ended_connection_says_nothing(void**) {
  World world;
  world.settings.client_publish = true;
  world.broker.hold_replies = true;
  Client client(world);
  client.open_in({"news"});
  world.broker.refusal = Error{ErrorCode::log_full, "full"};
  client.text("hello");
  client.close(1000);
  assert_text(client.heard(), "close 1000\n");
  world.broker.answer_held();
  client.flush();
  assert_text(client.heard(), "");
  assert_ended(client, 1000, Summary::Side::client, "");
}

void a_gap_ends_the_connection_before_what_follows(void**) {
  World world;
  Client client(world);
  client.open_in({"news"});
  world.broker.bring("news", "a");
  world.turn();
  world.broker.bring_at("news", {7, 3}, "c");
  world.turn();
  assert_text(client.heard(),
              "text a\nclose 3010 messages were lost: subscribe again\n");
  assert_int_equal(world.count(Counter::gaps), 1);
  assert_int_equal(world.broker.subscribers(), 0);
}

void a_refused_channel_refuses_the_upgrade(void**) {
  World world;
  world.settings.max_subscriptions = 2;
  {
    Client client(world);
    Admission admission;
    admission.channels = {"a", "b", "c"};
    const auto refused = client.open(admission);
    assert_false(refused.ok());
    assert_true(refused.error().code == ErrorCode::subscription_limit);
    assert_int_equal(world.count(Counter::subscriptions), 0);
    assert_int_equal(world.broker.subscribers(), 0);
  }
  world.broker.refusal = Error{ErrorCode::too_many_channels, "full"};
  Client client(world);
  Admission admission;
  admission.channels = {"a"};
  assert_false(client.open(admission).ok());
}

void pings_are_answered_with_their_bytes(void**) {
  World world;
  Client client(world);
  client.open_in({});
  client.ping("are you there");
  client.ping("");
  client.pong();
  assert_text(client.heard(), "pong are you there\npong\n");
}

void a_message_over_the_limit_ends_the_connection(void**) {
  World world;
  world.settings.max_message_size = 10;
  Client client(world);
  client.open_in({});
  client.text("01234567890");
  assert_text(client.heard(), "close 1009 message too big\n");
  assert_true(client.transport.finishing);
}

void a_client_that_doesnt_read_is_closed_at_its_limit(void**) {
  World world;
  world.settings.send_buffer = 1000;
  Client client(world);
  client.open_in({"news"});
  client.transport.room = 0;
  const std::string data(96, 'x');  // 98 bytes as a frame
  for (int i = 0; i < 10; ++i) {
    world.broker.bring("news", data);
    world.turn();
  }
  assert_int_equal(client.transport.queued.size(), 980);
  assert_false(client.transport.aborted);
  world.broker.bring("news", data);
  world.turn();
  assert_true(client.transport.aborted);
  assert_int_equal(client.transport.queued.size(), 980);
  assert_ended(client, 3008, kServer, "the client reads too slowly");
}

void replies_have_the_same_limit(void**) {
  World world;
  world.settings.dialect = dialect::find("echo");
  world.settings.send_buffer = 1000;
  Client client(world);
  client.open_in({});
  client.transport.room = 0;
  for (int i = 0; i < 11; ++i) client.text(std::string(96, 'x'));
  assert_true(client.transport.aborted);
  assert_int_equal(client.transport.queued.size(), 980);
  assert_ended(client, 3008, kServer, "the client reads too slowly");
}

void a_burst_is_kept_for_who_had_no_backlog_and_ends_who_had(void**) {
  World world;
  world.settings.send_buffer = 1000;
  Client fast(world);
  Client slow(world);
  fast.open_in({"news"});
  slow.open_in({"news"});
  slow.transport.room = 500;
  for (int i = 0; i < 100; ++i) {
    world.broker.bring("news", std::string(96, 'x'));
  }
  world.turn();
  assert_false(fast.socket.closing());
  assert_int_equal(fast.transport.sent.size(), 9800);
  assert_false(slow.transport.aborted);
  world.broker.bring("news", "more");
  world.turn();
  assert_false(fast.socket.closing());
  assert_true(slow.transport.aborted);
  assert_ended(slow, 3008, kServer, "the client reads too slowly");
}

void a_slow_client_hurts_nobody_else(void**) {
  World world;
  world.settings.send_buffer = 100;
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 6; ++i) {
    clients.push_back(std::make_unique<Client>(world));
    clients.back()->open_in({"news"});
    if (i % 2 == 0) clients.back()->transport.room = 10;
  }
  for (int i = 0; i < 8; ++i) {
    world.broker.bring("news", std::string(48, 'x'));
    world.turn();
  }
  for (std::size_t i = 0; i < 6; ++i) {
    assert_int_equal(clients[i]->transport.aborted, i % 2 == 0 ? 1 : 0);
    assert_int_equal(clients[i]->transport.sent.size(), i % 2 == 0 ? 10 : 400);
  }
}

void everything_is_counted(void**) {
  World world;
  world.settings.client_publish = true;
  {
    Client client(world);
    client.open_in({"news", "chat"});
    assert_int_equal(world.count(Counter::subscriptions), 2);
    const std::string frame = ws::client_frame(ws::Opcode::text, "hello");
    client.say(frame);
    world.turn();
    const Summary summary = client.socket.summary();
    assert_int_equal(summary.messages_received, 1);
    assert_int_equal(summary.messages_sent, 2);
    assert_int_equal(summary.bytes_received, frame.size());
    assert_int_equal(summary.bytes_sent, 14);
  }
  assert_int_equal(world.count(Counter::messages_received), 1);
  assert_int_equal(world.count(Counter::messages_sent), 2);
  assert_int_equal(world.count(Counter::bytes_received), 11);
  assert_int_equal(world.count(Counter::bytes_sent), 14);
  assert_int_equal(world.count(Counter::publications), 2);
  assert_int_equal(world.count(Counter::subscriptions), 0);
  assert_int_equal(world.broker.subscribers(), 0);
}

void who_and_where_are_known_for_the_log(void**) {
  World world;
  Client client(world);
  Admission admission;
  admission.user = "alice";
  admission.channels = {std::string("shop\0news", 9), "chat"};
  assert_true(client.open(admission).ok());
  assert_text(std::string(client.socket.user()), "alice");
  assert_text(client.socket.channels(), "news, chat");
  client.close(1000);
  assert_text(client.socket.channels(), "news, chat");
  assert_int_equal(world.count(Counter::subscriptions), 0);
  Client nobody(world);
  nobody.open_in({});
  assert_true(nobody.socket.user().empty());
  assert_text(nobody.socket.channels(), "");
}

}  // namespace
}  // namespace paperboy::session

int main() {
  using namespace paperboy::session;
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_broadcast_reaches_its_subscribers),
      cmocka_unit_test(a_burst_is_one_shared_run),
      cmocka_unit_test(echo_answers_every_message),
      cmocka_unit_test(a_clients_message_is_published_where_that_is_allowed),
      cmocka_unit_test(publishing_is_refused_by_default),
      cmocka_unit_test(publishing_is_refused_without_the_right),
      cmocka_unit_test(a_full_log_asks_to_come_back_later),
      cmocka_unit_test(a_late_reply_finds_nobody),
      cmocka_unit_test(a_late_reply_to_an_ended_connection_says_nothing),
      cmocka_unit_test(a_gap_ends_the_connection_before_what_follows),
      cmocka_unit_test(a_refused_channel_refuses_the_upgrade),
      cmocka_unit_test(pings_are_answered_with_their_bytes),
      cmocka_unit_test(a_message_over_the_limit_ends_the_connection),
      cmocka_unit_test(a_client_that_doesnt_read_is_closed_at_its_limit),
      cmocka_unit_test(replies_have_the_same_limit),
      cmocka_unit_test(a_burst_is_kept_for_who_had_no_backlog_and_ends_who_had),
      cmocka_unit_test(a_slow_client_hurts_nobody_else),
      cmocka_unit_test(everything_is_counted),
      cmocka_unit_test(who_and_where_are_known_for_the_log),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
