// Heartbeats, clients that read slowly, and tokens that expire.
#include <string>

#include "session/fakes.hpp"

namespace paperboy::session {
namespace {

constexpr auto kServer = Summary::Side::server;

struct Quick : World {
  Quick() {
    settings.ping_interval_ms = 10'000;
    settings.ping_timeout_ms = 4'000;
    settings.send_timeout_ms = 8'000;
  }
};

void an_idle_client_is_pinged(void**) {
  Quick world;
  Client client(world);
  client.open_in({});
  world.pass(9'900);
  assert_text(client.heard(), "");
  world.pass(400);
  assert_text(client.heard(), "ping\n");
}

void a_client_that_answers_stays(void**) {
  Quick world;
  Client client(world);
  client.open_in({});
  int pings = 0;
  for (int i = 0; i < 600; ++i) {
    world.pass(100);
    if (client.heard() == "ping\n") {
      ++pings;
      client.pong();
    }
  }
  assert_false(client.socket.closing());
  assert_in_range(pings, 5, 6);
}

void it_is_pinged_as_often_where_an_answer_may_take_longer(void**) {
  Quick world;
  world.settings.ping_timeout_ms = 40'000;
  Client client(world);
  client.open_in({});
  int pings = 0;
  for (int i = 0; i < 600; ++i) {
    world.pass(100);
    if (client.heard() == "ping\n") {
      ++pings;
      client.pong();
    }
  }
  assert_in_range(pings, 5, 6);
}

void anything_it_says_is_an_answer(void**) {
  Quick world;
  world.settings.dialect = dialect::find("echo");
  Client client(world);
  client.open_in({});
  world.pass(10'300);
  client.say("\x82");  // not even a whole frame
  world.pass(9'000);
  assert_false(client.transport.aborted);
}

void a_client_that_doesnt_answer_is_gone(void**) {
  Quick world;
  Client client(world);
  client.open_in({"news"});
  world.pass(10'300);
  assert_text(client.heard(), "ping\n");
  world.pass(3'500);
  assert_false(client.transport.aborted);
  world.pass(800);
  assert_true(client.transport.aborted);
  assert_ended(client, 3012, kServer, "no answer to a ping");
}

/// The worker may be so late that it hasn't read the answer.
void an_answer_that_was_not_read_yet_counts(void**) {
  Quick world;
  Client client(world);
  client.open_in({});
  world.pass(10'300);
  client.transport.has_unread = true;
  world.pass(3 * 4'000);
  assert_false(client.transport.aborted);
  assert_text(client.heard(), "ping\n");
  client.transport.has_unread = false;
  world.pass(4'300);
  assert_ended(client, 3012, kServer, "no answer to a ping");
}

void what_it_said_before_the_ping_is_no_answer(void**) {
  Quick world;
  Client client(world);
  client.open_in({});
  world.pass(9'900);
  client.pong();
  world.pass(400 + 4'300);
  assert_true(client.transport.aborted);
}

void traffic_to_the_client_doesnt_count_as_its_answer(void**) {
  Quick world;
  Client client(world);
  client.open_in({"news"});
  for (int i = 0; i < 150; ++i) {
    world.broker.bring("news", "x");
    world.turn();
    world.pass(100);
  }
  assert_true(client.transport.aborted);
  assert_ended(client, 3012, kServer, "no answer to a ping");
}

void a_client_that_reads_nothing_is_ended_after_send_timeout(void**) {
  Quick world;
  Client client(world);
  client.open_in({"news"});
  client.transport.room = 0;
  world.broker.bring("news", "x");
  world.turn();
  world.pass(7'900);
  assert_false(client.transport.aborted);
  world.pass(400);
  assert_true(client.transport.aborted);
  assert_ended(client, 3008, kServer, "the client reads too slowly");
}

void one_that_reads_a_byte_a_minute_is_ended_too(void**) {
  Quick world;
  world.settings.send_timeout_ms = 120'000;
  Client client(world);
  client.open_in({"news"});
  client.transport.room = 0;
  world.broker.bring("news", "hello");
  world.turn();
  for (int i = 0; i < 2; ++i) {
    assert_false(client.transport.aborted);
    client.transport.room = 1;
    world.pass(60'000);
  }
  world.pass(300);
  assert_true(client.transport.aborted);
  assert_ended(client, 3008, kServer, "the client reads too slowly");
}

void steady_traffic_doesnt_spare_a_byte_a_minute(void**) {
  Quick world;
  Client client(world);
  client.open_in({"news"});
  client.transport.room = 0;
  for (int i = 0; i < 90 && !client.transport.aborted; ++i) {
    world.broker.bring("news", "0123456789");
    if (i % 10 == 0) ++client.transport.room;
    world.turn();
    world.pass(100);
  }
  assert_true(client.transport.aborted);
}

void one_that_keeps_up_with_its_backlog_stays(void**) {
  Quick world;
  Client client(world);
  client.open_in({"news"});
  client.transport.room = 0;
  for (int i = 0; i < 600; ++i) {
    // A second behind all the time, and never without a backlog.
    world.broker.bring("news", "0123456789");
    world.turn();
    if (i >= 10) client.transport.room += 12;
    world.pass(100);
    client.pong();
    assert_true(client.transport.backlog() > 0);
  }
  assert_false(client.socket.closing());
}

void who_catches_up_has_time_to_answer_the_ping(void**) {
  Quick world;
  Client client(world);
  client.open_in({"news"});
  world.pass(9'000);
  client.transport.room = 0;
  world.broker.bring("news", "x");
  world.turn();
  world.pass(6'000);  // the ping waits behind it, longer than its timeout
  world.wheel.look_again();
  assert_true(world.wheel.next_ms().value() > world.clock.ms + 1'500);
  client.transport.room = 1000;
  client.flush();
  assert_text(client.heard(), "text x\nping\n");
  world.pass(3'000);
  assert_false(client.transport.aborted);
  client.pong();
  world.pass(3'000);
  assert_false(client.transport.aborted);
}

void who_catches_up_and_doesnt_answer_is_gone(void**) {
  Quick world;
  Client client(world);
  client.open_in({"news"});
  world.pass(9'000);
  client.transport.room = 0;
  world.broker.bring("news", "x");
  world.turn();
  world.pass(6'000);
  client.transport.room = 1000;
  client.flush();
  world.pass(4'300);
  assert_true(client.transport.aborted);
  assert_ended(client, 3012, kServer, "no answer to a ping");
}

Admission until(std::int64_t seconds) {
  Admission admission;
  admission.channels = {"news"};
  admission.expires = seconds;
  return admission;
}

void an_expired_token_ends_the_connection_within_a_second(void**) {
  World world;
  Client client(world);
  assert_true(client.open(until(world.clock.unix_seconds() + 3)).ok());
  world.pass(2'900);
  assert_text(client.heard(), "");
  world.pass(1'100);
  assert_text(client.heard(), "close 3005 the token has expired\n");
  assert_ended(client, 3005, kServer, "the token has expired");
}

void an_expiry_far_away_lets_heartbeats_go_on(void**) {
  Quick world;
  Client client(world);
  assert_true(client.open(until(world.clock.unix_seconds() + 60)).ok());
  for (int i = 0; i < 590; ++i) {
    world.pass(100);
    client.pong();
  }
  assert_false(client.socket.closing());
  world.pass(2'000);
  assert_ended(client, 3005, kServer, "the token has expired");
}

void a_token_that_has_expired_by_now_ends_at_once(void**) {
  World world;
  Client client(world);
  assert_true(client.open(until(world.clock.unix_seconds() - 1)).ok());
  world.pass(300);
  assert_ended(client, 3005, kServer, "the token has expired");
}

void a_clock_that_is_set_back_ends_nobody(void**) {
  Quick world;
  world.settings.ping_interval_ms = 2'000;
  world.settings.ping_timeout_ms = 1'000;
  Client client(world);
  assert_true(client.open(until(world.clock.unix_seconds() + 6)).ok());
  client.transport.room = 0;
  world.pass(5'000);  // a ping waits, the timer is for the expiry
  world.clock.stepped -= 10;
  world.pass(2'000);
  assert_false(client.socket.closing());
  client.transport.room = 1000;
  for (int i = 0; i < 90; ++i) {
    world.pass(100);
    client.pong();
  }
  assert_false(client.transport.aborted);
  world.pass(2'000);
  assert_ended(client, 3005, kServer, "the token has expired");
}

void a_client_that_ended_is_timed_no_more(void**) {
  Quick world;
  {
    Client client(world);
    client.open_in({});
    client.socket.lost();
  }
  world.wheel.look_again();
  assert_false(world.wheel.next_ms().has_value());
}

}  // namespace
}  // namespace paperboy::session

int main() {
  using namespace paperboy::session;
  const CMUnitTest tests[] = {
      cmocka_unit_test(an_idle_client_is_pinged),
      cmocka_unit_test(it_is_pinged_as_often_where_an_answer_may_take_longer),
      cmocka_unit_test(a_client_that_answers_stays),
      cmocka_unit_test(anything_it_says_is_an_answer),
      cmocka_unit_test(a_client_that_doesnt_answer_is_gone),
      cmocka_unit_test(an_answer_that_was_not_read_yet_counts),
      cmocka_unit_test(what_it_said_before_the_ping_is_no_answer),
      cmocka_unit_test(traffic_to_the_client_doesnt_count_as_its_answer),
      cmocka_unit_test(a_client_that_reads_nothing_is_ended_after_send_timeout),
      cmocka_unit_test(one_that_reads_a_byte_a_minute_is_ended_too),
      cmocka_unit_test(steady_traffic_doesnt_spare_a_byte_a_minute),
      cmocka_unit_test(one_that_keeps_up_with_its_backlog_stays),
      cmocka_unit_test(who_catches_up_has_time_to_answer_the_ping),
      cmocka_unit_test(who_catches_up_and_doesnt_answer_is_gone),
      cmocka_unit_test(an_expired_token_ends_the_connection_within_a_second),
      cmocka_unit_test(an_expiry_far_away_lets_heartbeats_go_on),
      cmocka_unit_test(a_token_that_has_expired_by_now_ends_at_once),
      cmocka_unit_test(a_clock_that_is_set_back_ends_nobody),
      cmocka_unit_test(a_client_that_ended_is_timed_no_more),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
