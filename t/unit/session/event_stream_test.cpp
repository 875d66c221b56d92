// Streams of events: what an EventSource sees of them, and what it comes back
// with.
#include "session/event_stream.hpp"

#include <cstdlib>
#include <string>

#include "dialect/event_reader.hpp"
#include "session/fakes.hpp"

namespace paperboy::session {
namespace {

constexpr auto kServer = Summary::Side::server;

/// A worker with sse, whose channels keep all.
struct Newsroom : World {
  Newsroom() {
    settings.dialect = dialect::find("sse");
    settings.ping_interval_ms = 10'000;
    settings.send_timeout_ms = 8'000;
  }

  void publish(Bytes channel, Bytes data, Event event = Event::message) {
    broker.bring({.channel = channel,
                  .event = event,
                  .data = data,
                  .keep = {.count = 1000}});
  }
};

/// A stream and the EventSource at its other end.
struct Reader {
  explicit Reader(Newsroom& world)
      : world(world), stream(world.site, transport) {}

  Result<Done> open(const std::vector<std::string>& channels,
                    const std::string& id = {}, std::int64_t expires = 0) {
    Admission admission;
    admission.channels = channels;
    admission.expires = expires;
    if (!id.empty()) {
      const dialect::EventId told(id);
      for (const auto& channel : channels) {
        admission.since.push_back(told.in(channel));
      }
    }
    const auto opened = stream.open(admission);
    if (opened) stream.start();
    flush();
    return opened;
  }

  void flush() { transport.flush(stream); }
  void turn() {
    world.hub.drain();
    flush();
    world.hub.release();
  }
  void pass(std::uint64_t for_ms) {
    for (const auto end = world.clock.ms + for_ms; world.clock.ms < end;) {
      world.clock.ms += 50;
      world.wheel.advance(world.clock.ms);
      flush();
    }
  }

  std::string text() {
    const std::string all = transport.sent.substr(read);
    read = transport.sent.size();
    return all;
  }
  std::string seen() {
    events.feed(text());
    return events.take();
  }

  Newsroom& world;
  FakeTransport transport;
  Over<EventStream> stream;
  dialect::EventReader events;
  std::size_t read = 0;
};

void assert_ended(const Reader& reader, std::uint16_t code, Summary::Side side,
                  const char* reason) {
  const Summary summary = reader.stream.summary();
  assert_int_equal(summary.code, code);
  assert_true(summary.closed_by == side);
  assert_string_equal(summary.reason.c_str(), reason);
}

// ---- one channel -----------------------------------------------------------

void it_begins_with_a_time_and_a_place(void**) {
  Newsroom world;
  world.publish("news", "before");
  for (int i = 0; i < 50; ++i) {
    Reader reader(world);
    assert_true(reader.open({"news"}).ok());
    assert_text(reader.seen(), "");
    assert_text(reader.events.last_id(), "7:1");
    const int retry = std::atoi(reader.events.retry().c_str());
    assert_in_range(retry, 1'500, 4'499);
  }
}

void publications_are_events_of_which_all_get_the_same_bytes(void**) {
  Newsroom world;
  Reader one(world);
  Reader two(world);
  assert_true(one.open({"news"}).ok());
  assert_true(two.open({"news"}).ok());
  world.publish("news", "a");
  world.publish("news", "b\nc");
  one.turn();
  two.flush();
  assert_text(one.seen(), "message|7:1|a\nmessage|7:2|b\nc\n");
  assert_text(two.seen(), "message|7:1|a\nmessage|7:2|b\nc\n");
  assert_int_equal(one.transport.shared, 1);
  assert_int_equal(two.transport.shared, 1);
  assert_int_equal(world.count(Counter::messages_sent), 4);
  assert_int_equal(one.stream.summary().messages_sent, 2);
  assert_int_equal(one.stream.summary().bytes_sent, one.transport.sent.size());
}

void who_comes_and_goes_is_not_told(void**) {
  Newsroom world;
  Reader reader(world);
  assert_true(reader.open({"news", "sports"}).ok());
  reader.seen();
  world.publish("news", "{}", Event::join);
  world.publish("sports", "{}", Event::leave);
  reader.turn();
  assert_text(reader.text(), "");
}

void what_passes_has_no_place(void**) {
  Newsroom world;
  Reader reader(world);
  assert_true(reader.open({"news"}).ok());
  world.publish("news", "a");
  world.publish("news", "b", Event::passing);
  reader.turn();
  assert_text(reader.seen(), "message|7:1|a\nmessage|7:1|b\n");
}

void who_comes_back_gets_what_it_missed_and_then_goes_on(void**) {
  Newsroom world;
  for (const Bytes data : {"a", "b", "c"}) world.publish("news", data);
  world.hub.drain();
  Reader reader(world);
  assert_true(reader.open({"news"}, "7:1").ok());
  world.publish("news", "d");
  reader.turn();
  assert_text(reader.seen(), "message|7:2|b\nmessage|7:3|c\nmessage|7:4|d\n");
}

void who_missed_nothing_gets_nothing(void**) {
  Newsroom world;
  world.publish("news", "a");
  world.hub.drain();
  Reader reader(world);
  assert_true(reader.open({"news"}, "7:1").ok());
  reader.turn();
  assert_text(reader.seen(), "");
  assert_text(reader.events.last_id(), "7:1");
}

void what_cant_be_had_is_told_and_the_stream_goes_on(void**) {
  for (const char* const id : {"nonsense", "6:1", "7:9", "1=7:1"}) {
    Newsroom world;
    world.publish("news", "a");
    world.hub.drain();
    Reader reader(world);
    assert_true(reader.open({"news"}, id).ok());
    const bool other = Bytes(id) == "1=7:1";  // it speaks of another channel
    assert_text(reader.seen(), other ? "" : "gap||{\"channel\":\"news\"}\n");
    assert_text(reader.events.last_id(), "7:1");
    world.publish("news", "b");
    reader.turn();
    assert_text(reader.seen(), "message|7:2|b\n");
    assert_int_equal(world.count(Counter::gaps), other ? 0 : 1);
  }
}

void what_is_lost_on_the_way_is_told_too(void**) {
  Newsroom world;
  Reader reader(world);
  assert_true(reader.open({"news"}).ok());
  world.broker.bring("news", "lost");
  world.broker.lose = true;
  reader.turn();
  world.publish("news", "b");
  reader.turn();
  assert_text(reader.seen(), "gap|7:0|{\"channel\":\"news\"}\nmessage|7:2|b\n");
  assert_false(reader.stream.closing());
}

void what_comes_while_the_history_is_read_comes_after_it(void**) {
  Newsroom world;
  world.publish("news", "a");
  world.publish("news", "b");
  world.hub.drain();
  world.broker.hold_replies = true;
  Reader reader(world);
  assert_true(reader.open({"news"}, "7:1").ok());
  world.publish("news", "c");
  reader.turn();
  assert_text(reader.seen(), "");
  world.broker.answer_held();
  reader.turn();
  assert_text(reader.seen(), "message|7:2|b\nmessage|7:3|c\n");
}

// ---- several channels ------------------------------------------------------

const std::vector<std::string> kThree{"news", "sports", "weather"};

/// What it sees, without ids; and after each event, what it would come back
/// with.
struct Notes {
  std::vector<std::string> events;
  std::vector<std::string> ids;

  void add(Bytes text) {
    dialect::EventReader events_so_far;
    while (!text.empty()) {
      const Bytes event = text.substr(0, text.find("\n\n") + 2);
      text.remove_prefix(event.size());
      events_so_far.feed(event);
      const std::string seen = events_so_far.take();
      if (!seen.empty()) events.push_back(seen.substr(seen.rfind('|') + 1));
      if (!seen.empty()) ids.push_back(events_so_far.last_id());
    }
  }
};

/// The publications of `channel` among those that were made.
std::vector<std::string> of_channel(const std::vector<std::string>& events,
                                    const std::string& channel) {
  std::vector<std::string> own;
  for (const auto& event : events) {
    if (event.starts_with(channel)) own.push_back(event);
  }
  return own;
}

/// What was seen before `cut` and what was seen after coming back are all of
/// `made`, in each channel's order, none twice.
void assert_complete(const std::vector<std::string>& made,
                     std::vector<std::string> before,
                     const std::vector<std::string>& after) {
  before.insert(before.end(), after.begin(), after.end());
  assert_int_equal(before.size(), made.size());
  for (const auto& channel : kThree) {
    assert_true(of_channel(before, channel) == of_channel(made, channel));
  }
}

void every_id_says_where_it_is_in_all_channels(void**) {
  Newsroom world;
  Reader first(world);
  assert_true(first.open(kThree).ok());
  const std::string start = (first.seen(), first.events.last_id());
  std::vector<std::string> made;
  Notes notes;
  for (int i = 0; i < 40; ++i) {
    const auto& channel = kThree[static_cast<std::size_t>(i * i % 7 % 3)];
    made.push_back(channel + std::to_string(i) + "\n");
    world.publish(channel, channel + std::to_string(i));
    if (i % 4 != 0) continue;  // several in a turn
    first.turn();
    notes.add(first.text());
  }
  first.turn();
  notes.add(first.text());
  assert_complete(made, {}, notes.events);
  assert_int_equal(first.transport.shared, 0);

  for (std::size_t cut = 0; cut <= notes.events.size(); ++cut) {
    Reader back(world);
    assert_true(back.open(kThree, cut == 0 ? start : notes.ids[cut - 1]).ok());
    const std::vector<std::string> before(
        notes.events.begin(),
        notes.events.begin() + static_cast<std::ptrdiff_t>(cut));
    Notes rest;
    rest.add(back.text());
    assert_complete(made, before, rest.events);

    // It is cut off again amid what it missed.
    for (std::size_t again = 0; again < rest.events.size(); again += 3) {
      Reader third(world);
      assert_true(third.open(kThree, rest.ids[again]).ok());
      auto had = before;
      had.insert(had.end(), rest.events.begin(),
                 rest.events.begin() + static_cast<std::ptrdiff_t>(again) + 1);
      Notes last;
      last.add(third.text());
      assert_complete(made, had, last.events);
    }
  }
}

void a_channel_that_it_had_not_begins_now(void**) {
  Newsroom world;
  for (const auto& channel : kThree) world.publish(channel, channel + "1");
  world.hub.drain();
  std::string id;
  dialect::append_entry(id, dialect::channel_tag("news"), {7, 0});
  Reader reader(world);
  assert_true(reader.open(kThree, id).ok());
  Notes notes;
  notes.add(reader.text());
  assert_int_equal(notes.events.size(), 1);
  assert_text(notes.events[0], "news1\n");
}

void a_gap_in_one_channel_leaves_the_others_alone(void**) {
  Newsroom world;
  for (const auto& channel : kThree) world.publish(channel, channel + "1");
  world.hub.drain();
  std::string id;
  dialect::append_entry(id, dialect::channel_tag("news"), {6, 0});
  dialect::append_entry(id, dialect::channel_tag("sports"), {7, 0});
  dialect::append_entry(id, dialect::channel_tag("weather"), {7, 1});
  Reader reader(world);
  assert_true(reader.open(kThree, id).ok());
  Notes notes;
  notes.add(reader.text());
  assert_int_equal(notes.events.size(), 2);
  assert_text(notes.events[0], "sports1\n");
  assert_text(notes.events[1], "{\"channel\":\"news\"}\n");
}

void more_channels_than_an_id_can_carry_are_refused(void**) {
  Newsroom world;
  world.settings.max_subscriptions = 1000;
  std::vector<std::string> channels;
  for (std::size_t i = 0; i < dialect::kMaxEventChannels; ++i) {
    channels.push_back("channel" + std::to_string(i));
  }
  Reader fits(world);
  assert_true(fits.open(channels).ok());
  channels.emplace_back("one-more");
  Reader reader(world);
  const auto opened = reader.open(channels);
  assert_false(opened.ok());
  assert_true(opened.error().code == ErrorCode::subscription_limit);
  assert_int_equal(world.broker.subscribers(), dialect::kMaxEventChannels);
}

// ---- limits, times and the end ---------------------------------------------

void comments_are_its_heartbeats(void**) {
  Newsroom world;
  Reader reader(world);
  assert_true(reader.open({"news"}).ok());
  reader.text();
  reader.pass(9'900);
  assert_text(reader.text(), "");
  reader.pass(400);
  assert_text(reader.text(), ":\n\n");
  reader.pass(60'000);
  assert_text(reader.seen(), "");
  assert_false(reader.stream.closing());
}

void a_client_that_reads_nothing_is_dropped_at_its_limit(void**) {
  Newsroom world;
  world.settings.send_buffer = 1000;
  for (const bool several : {false, true}) {
    Reader reader(world);
    assert_true(
        reader.open(several ? kThree : std::vector<std::string>{"news"}).ok());
    reader.transport.room = 0;
    for (int i = 0; i < 100 && !reader.transport.aborted; ++i) {
      world.publish("news", "0123456789");
      reader.turn();
    }
    assert_true(reader.transport.aborted);
    assert_in_range(reader.transport.backlog(), 800, 1000);
    assert_ended(reader, 3008, kServer, "the client reads too slowly");
  }
}

void one_that_takes_nothing_for_too_long_is_dropped(void**) {
  Newsroom world;
  Reader reader(world);
  assert_true(reader.open({"news"}).ok());
  reader.transport.room = 0;
  world.publish("news", "x");
  reader.turn();
  reader.pass(7'900);
  assert_false(reader.transport.aborted);
  reader.pass(400);
  assert_true(reader.transport.aborted);
  assert_ended(reader, 3008, kServer, "the client reads too slowly");
}

void an_expired_token_ends_it(void**) {
  Newsroom world;
  Reader reader(world);
  assert_true(reader.open({"news"}, {}, world.clock.unix_seconds() + 3).ok());
  reader.pass(2'900);
  assert_text(reader.seen(), "");
  reader.pass(1'100);
  assert_text(
      reader.seen(),
      "close|7:0|{\"code\":3005,\"reason\":\"the token has expired\"}\n");
  assert_true(reader.transport.finishing);
  assert_ended(reader, 3005, kServer, "the token has expired");
}

void the_end_is_told_once_and_nothing_after_it(void**) {
  Newsroom world;
  world.settings.retry_ms = 100'000;
  Reader reader(world);
  assert_true(reader.open({"news"}).ok());
  reader.seen();
  reader.stream.shut_down();
  reader.stream.shut_down();
  world.publish("news", "late");
  reader.turn();
  assert_text(
      reader.seen(),
      "close|7:0|{\"code\":1001,\"reason\":\"the server goes away\"}\n");
  assert_in_range(std::atoi(reader.events.retry().c_str()), 50'000, 149'999);
  assert_int_equal(world.broker.subscribers(), 0);
  assert_text(reader.stream.channels(), "news");
  assert_ended(reader, 1001, kServer, "the server goes away");
}

void one_that_doesnt_take_its_end_is_dropped(void**) {
  Newsroom world;
  Reader reader(world);
  assert_true(reader.open({"news"}).ok());
  reader.transport.room = 0;
  reader.stream.shut_down();
  reader.flush();
  reader.pass(4'900);
  assert_false(reader.transport.aborted);
  reader.pass(400);
  assert_true(reader.transport.aborted);
}

void a_client_that_goes_is_1006(void**) {
  Newsroom world;
  Reader reader(world);
  assert_true(reader.open({"news"}).ok());
  reader.stream.lost();
  assert_ended(reader, 1006, Summary::Side::client, "");
}

}  // namespace
}  // namespace paperboy::session

int main() {
  using namespace paperboy::session;
  const CMUnitTest tests[] = {
      cmocka_unit_test(it_begins_with_a_time_and_a_place),
      cmocka_unit_test(publications_are_events_of_which_all_get_the_same_bytes),
      cmocka_unit_test(who_comes_and_goes_is_not_told),
      cmocka_unit_test(what_passes_has_no_place),
      cmocka_unit_test(who_comes_back_gets_what_it_missed_and_then_goes_on),
      cmocka_unit_test(who_missed_nothing_gets_nothing),
      cmocka_unit_test(what_cant_be_had_is_told_and_the_stream_goes_on),
      cmocka_unit_test(what_is_lost_on_the_way_is_told_too),
      cmocka_unit_test(what_comes_while_the_history_is_read_comes_after_it),
      cmocka_unit_test(every_id_says_where_it_is_in_all_channels),
      cmocka_unit_test(a_channel_that_it_had_not_begins_now),
      cmocka_unit_test(a_gap_in_one_channel_leaves_the_others_alone),
      cmocka_unit_test(more_channels_than_an_id_can_carry_are_refused),
      cmocka_unit_test(comments_are_its_heartbeats),
      cmocka_unit_test(a_client_that_reads_nothing_is_dropped_at_its_limit),
      cmocka_unit_test(one_that_takes_nothing_for_too_long_is_dropped),
      cmocka_unit_test(an_expired_token_ends_it),
      cmocka_unit_test(the_end_is_told_once_and_nothing_after_it),
      cmocka_unit_test(one_that_doesnt_take_its_end_is_dropped),
      cmocka_unit_test(a_client_that_goes_is_1006),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
