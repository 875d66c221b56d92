// Channels whose positions come from elsewhere: without one, given one with
// what was published before, and released.
#include "broker/shm_anchor.hpp"

#include "broker/shm_elsewhere.hpp"
#include "broker/shm_history_reader.hpp"
#include "broker/shm_layout.hpp"

namespace paperboy::broker::shm {
namespace {

constexpr Position kNone{};

void a_channel_may_have_no_position(void**) {
  Elsewhere it;
  const auto again = it.zone.subscribe(it.reader, "news", 0, Anchor::later);
  assert_int_equal(again->ref, it.ref);
  assert_true(again->top == kNone);
  assert_true(it.zone.position("news").value() == kNone);
  assert_true(it.zone.position(it.ref) == kNone);
  assert_text(kept(it.zone), "of 0");
  const auto page = it.zone.channels({});
  assert_int_equal(page->channels.size(), 1);
  assert_true(page->channels[0].position == kNone);
  it.assert_sound();
}

void the_zone_begins_an_epoch_where_it_has_to(void**) {
  Elsewhere it;
  const auto now = it.zone.subscribe(it.reader, "news");
  assert_int_equal(now->ref, it.ref);
  assert_true(now->top.epoch != 0);
  assert_int_equal(now->top.offset, 0);
  // And keeps it.
  const auto later = it.zone.subscribe(it.reader, "news", 0, Anchor::later);
  assert_true(later->top == now->top);
  (void)it.zone.subscribe(it.reader, "other", 0, Anchor::later);
  const auto made = it.zone.publish("other", Kind::text, "a");
  assert_true(made->position.epoch != 0);
  assert_int_equal(made->position.offset, 1);
  it.assert_sound();
}

void an_event_needs_no_position(void**) {
  Elsewhere it;
  const auto made = it.zone.publish(
      {.channel = "news", .event = Event::join, .data = "x"}, Anchor::later);
  assert_true(made->position == kNone);
  assert_int_equal(made->subscribers, 1);
  assert_text(it.drain().events.at(0), "news/+x");
  const auto other = it.zone.publish(
      {.channel = "other", .event = Event::passing}, Anchor::later);
  assert_true(other->position == kNone);
  assert_true(it.zone.position("other").value() == kNone);
  assert_true(it.zone.position("news").value() == kNone);
  it.assert_sound();
}

void an_anchor_tells_the_position(void**) {
  Elsewhere it;
  assert_true(it.anchor(41).ok());
  assert_text(it.drain().events.at(0), "news@77:41");
  assert_int_equal(it.waker.wakes[it.reader], 1);
  assert_true(it.zone.position("news").value() == (Position{kEpoch, 41}));
  assert_true(it.zone.subscribe(it.reader, "news", 0, Anchor::later)->top ==
              (Position{kEpoch, 41}));
  it.assert_sound();
}

void it_is_told_again_where_nothing_changes(void**) {
  Elsewhere it;
  assert_true(it.anchor(3, window(1, 3)).ok());
  assert_true(it.anchor(3).ok());
  assert_true(it.anchor(3).ok());
  assert_int_equal(it.drain().events.size(), 3);
  assert_text(it.notes.events.at(2), "news@77:3");
  assert_text(kept(it.zone), "1 2 3 of 3");
  it.assert_sound();
}

void what_it_cant_be_is_refused(void**) {
  Elsewhere it;
  const auto code = [&](const Position& at, const std::vector<Recent>& recent) {
    const auto done = it.zone.anchor("news", at, recent, kThousands);
    return done ? ErrorCode::internal : done.error().code;
  };
  assert_true(code(kNone, {}) == ErrorCode::bad_request);
  assert_true(code({kEpoch, 4}, window(1, 3)) == ErrorCode::bad_request);
  assert_true(code({kEpoch, 2}, window(1, 3)) == ErrorCode::bad_request);
  assert_true(code({kEpoch + 1, 3}, window(1, 3)) == ErrorCode::bad_request);
  auto hole = window(1, 4);
  hole.erase(hole.begin() + 1);
  assert_true(code({kEpoch, 4}, hole) == ErrorCode::bad_request);
  assert_true(it.zone.anchor("none", {kEpoch, 1}, {}, {}).error().code ==
              ErrorCode::not_found);
  assert_true(it.zone.anchor("", {kEpoch, 1}, {}, {}).error().code ==
              ErrorCode::channel_name);
  assert_int_equal(it.drain().events.size(), 0);
  assert_true(it.zone.position("news").value() == kNone);
}

void a_window_is_kept(void**) {
  Elsewhere it;
  assert_true(it.anchor(5, window(2, 5)).ok());
  assert_text(kept(it.zone), "2 3 4 5 of 5");
  const auto page = it.zone.history("news", {}).value();
  assert_true(page.publications[0].position == (Position{kEpoch, 2}));
  assert_text(page.publications[0].extra, "e");
  assert_true(it.import(6) == Import::appended);
  assert_text(kept(it.zone), "2 3 4 5 6 of 6");
  assert_text(it.drain().lines.at(0), "news/6=m6");
  assert_int_equal(it.notes.lines.size(), 1);
  it.assert_sound();
}

void of_a_window_the_rule_keeps_the_last(void**) {
  Elsewhere it;
  it.clock.now += 100'000;
  assert_true(it.anchor(9, window(1, 9), {.count = 3}).ok());
  assert_text(kept(it.zone), "7 8 9 of 9");
  // Two bytes and one beside them each.
  assert_true(it.anchor(8, window(1, 8), {.count = 9, .bytes = 7}).ok());
  assert_text(kept(it.zone), "7 8 of 8");
  assert_true(it.anchor(9, window(1, 9), {.count = 9, .age_ms = 4000}).ok());
  assert_text(kept(it.zone), "6 7 8 9 of 9");
  // They are as old as they were elsewhere.
  it.clock.now += 2000;
  assert_text(kept(it.zone), "8 9 of 9");
  assert_true(it.anchor(8, window(1, 8), {}).ok());
  assert_text(kept(it.zone), "of 8");
  it.assert_sound();
}

void what_is_older_than_the_zone_is_of_its_beginning(void**) {
  Elsewhere it;
  auto recent = window(1, 2);
  recent[0].age_ms = std::uint64_t{1} << 60;
  assert_true(it.anchor(2, recent).ok());
  assert_text(kept(it.zone), "1 2 of 2");
}

void another_position_forgets_what_was_kept(void**) {
  Elsewhere it;
  assert_true(it.anchor(3, window(1, 3)).ok());
  assert_true(it.anchor(5).ok());
  assert_text(kept(it.zone), "of 5");
  assert_true(it.anchor(9, window(8, 9)).ok());
  assert_text(kept(it.zone), "8 9 of 9");
  const auto other = window(1, 2, 0, 78);
  assert_true(it.anchor(2, other, kThousands, 78).ok());
  assert_text(kept(it.zone), "1 2 of 2");
  assert_true(it.zone.history("news", {})->top.epoch == 78);
  assert_int_equal(it.drain().events.size(), 4);
  assert_int_equal(it.zone.stats().history_messages, 2);
  it.assert_sound();
}

void a_longer_window_replaces_what_is_kept(void**) {
  Elsewhere it;
  assert_true(it.anchor(9, window(8, 9)).ok());
  assert_true(it.anchor(9, window(3, 9)).ok());
  assert_text(kept(it.zone), "3 4 5 6 7 8 9 of 9");
  // What reaches as far already stays.
  assert_true(it.anchor(9, window(6, 9)).ok());
  assert_text(kept(it.zone), "3 4 5 6 7 8 9 of 9");
  // Unless it has a hole.
  assert_true(it.import(10, {}) == Import::appended);
  assert_true(it.import(11) == Import::appended);
  assert_text(kept(it.zone), "3 4 5 6 7 8 9 11 of 11");
  assert_true(it.anchor(11, window(5, 11)).ok());
  assert_text(kept(it.zone), "5 6 7 8 9 10 11 of 11");
  it.assert_sound();
}

void a_long_window_is_kept_in_several_holds(void**) {
  Options options = small_options();
  options.history_size = 4 << 20;
  Elsewhere it(options);
  assert_true(it.anchor(5000, window(1, 5000)).ok());
  assert_int_equal(it.zone.stats().history_messages, 5000);
  const auto page = it.zone.history("news", {}).value();
  assert_true(is_complete(page, {kEpoch, 0}));
  assert_int_equal(page.publications.size(), 5000);
  assert_true(it.anchor(5001, window(4990, 5001)).ok());
  assert_int_equal(it.zone.stats().history_messages, 12);
  it.assert_sound();
}

void long_messages_are_kept_too(void**) {
  Options options = small_options();
  options.history_size = 4 << 20;
  Elsewhere it(options);
  assert_true(it.anchor(100, window(1, 100, 20'000)).ok());
  const auto page = it.zone.history("news", {}).value();
  assert_int_equal(page.publications.size(), 100);
  assert_int_equal(page.publications[99].data.size(), 20'000);
  it.assert_sound();
}

void room_is_made_at_any_channels_cost(void**) {
  Options options = small_options();
  options.history_size = 64UL * 1024;
  Elsewhere it(options);
  const Retention keep{.count = 10'000, .evict = false};
  int others = 0;
  for (; it.zone.publish({.channel = "other", .data = "x", .keep = keep}).ok();
       others++) {
    Notes notes;
    (void)it.zone.drain(it.reader, {}, notes);
  }
  assert_true(others > 100);
  assert_true(it.anchor(100, window(1, 100), keep).ok());
  assert_int_equal(it.zone.history("news", {})->publications.size(), 100);
  assert_int_equal(it.zone.history("other", {})->publications.size(),
                   others - 100);
  // More than all that may be kept: the last ones.
  const auto wide = window(1, 3000);
  assert_true(it.anchor(3000, wide, keep).ok());
  const auto page = it.zone.history("news", {}).value();
  assert_true(page.publications.size() > 500);
  assert_true(page.publications.size() < 3000);
  assert_true(
      is_complete(page, {kEpoch, page.publications[0].position.offset - 1}));
  it.assert_sound();
}

void what_is_too_large_to_be_kept_is_left_out(void**) {
  Options options = small_options();
  options.history_size = 32UL * 1024;
  Elsewhere it(options);
  auto recent = window(1, 6);
  recent[3].kept.data.append(64UL * 1024, 'x');
  assert_true(it.anchor(6, recent).ok());
  assert_text(kept(it.zone), "5 6 of 6");
  recent[5].kept.data.append(64UL * 1024, 'x');
  assert_true(it.anchor(7).ok());
  assert_true(it.anchor(6, recent).ok());
  assert_text(kept(it.zone), "of 6");
  it.assert_sound();
}

void a_full_log_refuses_an_anchor(void**) {
  Elsewhere it;
  assert_true(it.anchor(3, window(1, 3)).ok());
  const std::string data(16'000, 'x');
  while (it.zone.publish("news", Kind::text, data).ok()) {
  }
  while (it.zone.publish("news", Kind::text, "").ok()) {
  }
  const auto top = it.zone.position("news").value();
  const auto done = it.anchor(900, window(899, 900));
  assert_true(done.error().code == ErrorCode::log_full);
  assert_true(it.zone.position("news").value() == top);
  assert_int_equal(it.zone.history("news", {})->publications.size(), 3);
  it.drain();
  assert_true(it.anchor(900, window(899, 900)).ok());
  it.assert_sound();
}

void a_channel_is_released_that_nobody_wants(void**) {
  Elsewhere it;
  assert_true(it.anchor(700, window(1, 700)).ok());
  assert_false(it.zone.release("news").value());
  assert_true(it.zone.position("news").value() == (Position{kEpoch, 700}));
  assert_true(it.zone.unsubscribe(it.reader, it.ref).ok());
  assert_true(it.zone.release("news").value());
  assert_true(it.zone.position("news").value() == kNone);
  assert_int_equal(it.zone.stats().history_messages, 0);
  assert_true(it.import(701) == Import::foreign);
  assert_true(it.zone.release("news").value());
  assert_true(it.zone.release("none").value());
  assert_true(it.zone.release("").error().code == ErrorCode::channel_name);
  it.drain();
  it.ref = it.zone.subscribe(it.reader, "news", 0, Anchor::later)->ref;
  assert_true(it.anchor(702, window(700, 702)).ok());
  assert_text(kept(it.zone), "700 701 702 of 702");
  assert_text(it.drain().events.at(0), "news@77:702");
  it.assert_sound();
}

void a_dead_workers_interest_keeps_nothing(void**) {
  Elsewhere it;
  assert_true(it.anchor(1, window(1, 1)).ok());
  assert_true(it.zone.unsubscribe(it.reader, it.ref).ok());
  wait_for(spawn([&] {
    const SeatIndex seat = it.zone.claim_seat().value();
    (void)it.zone.subscribe(seat, "news", 0, Anchor::later);
  }));
  assert_false(it.zone.release("news").value());
  assert_int_equal(it.zone.reap_dead_seats(), 1);
  assert_true(it.zone.release("news").value());
  it.assert_sound();
}

void who_died_without_a_position_is_not_told(void**) {
  Elsewhere it;
  const auto die = [&] {
    wait_for(spawn([&] {
      const SeatIndex seat = it.zone.claim_seat().value();
      const auto ref = it.zone.subscribe(seat, "news", 0, Anchor::later)->ref;
      (void)it.zone.enter(seat, ref, {.client = "c"}, true);
    }));
    (void)it.zone.reap_dead_seats();
  };
  die();
  assert_int_equal(it.drain().events.size(), 0);
  assert_int_equal(it.zone.stats().members, 0);
  assert_true(it.anchor(1).ok());
  it.drain();
  die();
  assert_int_equal(it.drain().events.size(), 1);
  it.assert_sound();
}

void members_are_read_without_a_position(void**) {
  Elsewhere it(small_options(), 4 << 20);
  for (int i = 0; i < 1000; i++) {
    const std::string client = "c" + std::to_string(i);
    (void)it.zone.enter(it.reader, it.ref, {.client = client}, false);
  }
  assert_int_equal(it.zone.members("news")->size(), 1000);
}

void half_a_window_is_nobodys(void**) {
  Elsewhere it(small_options(), 8 << 20);
  assert_true(it.anchor(5, window(1, 5)).ok());
  it.drain();
  Slowly slowly(it);
  const auto recent = window(1, 1000);
  Anchoring anchoring("news", {kEpoch, 1000}, recent, kThousands);
  assert_false(slowly.go_on(anchoring));
  assert_true(it.zone.stats().history_messages > 50);
  assert_true(it.zone.position("news").value() == kNone);
  assert_text(kept(it.zone), "of 0");
  assert_true(it.import(6) == Import::foreign);
  const auto meanwhile = it.zone.subscribe(it.reader, "news", 0, Anchor::later);
  assert_true(meanwhile->top == kNone);
  it.assert_sound();
  while (!slowly.go_on(anchoring)) {
  }
  assert_text(it.drain().events.at(0), "news@77:1000");
  assert_int_equal(it.zone.history("news", {})->publications.size(), 1000);
  it.assert_sound();
}

void what_is_left_of_half_a_window_goes(void**) {
  for (const bool locally : {false, true}) {
    Elsewhere it(small_options(), 8 << 20);
    Slowly slowly(it);
    const auto recent = window(1, 1000);
    Anchoring anchoring("news", {kEpoch, 1000}, recent, kThousands);
    assert_false(slowly.go_on(anchoring));
    assert_false(slowly.go_on(anchoring));
    assert_false(slowly.go_on(anchoring));
    assert_true(it.zone.stats().history_messages > 256);
    if (locally) {
      assert_int_equal(
          it.zone.publish("news", Kind::text, "x")->position.offset, 1);
      assert_int_equal(it.zone.history("news", {})->publications.size(), 0);
    } else {
      assert_true(it.anchor(1002, window(1001, 1002)).ok());
      assert_text(kept(it.zone), "1001 1002 of 1002");
    }
    it.assert_sound();
  }
}

// The last of them counts, as if they had come one after the other.
void two_windows_at_once_are_not_mixed(void**) {
  Elsewhere it(small_options(), 8 << 20);
  Slowly slowly(it);
  const auto first = window(1, 1000, 0, 78);
  const auto second = window(501, 1500);
  Anchoring one("news", {78, 1000}, first, kThousands);
  Anchoring two("news", {kEpoch, 1500}, second, kThousands);
  assert_false(slowly.go_on(one));
  assert_false(slowly.go_on(two));
  assert_false(slowly.go_on(one));
  while (!slowly.go_on(two)) {
  }
  assert_true(it.zone.position("news").value() == (Position{kEpoch, 1500}));
  assert_int_equal(it.zone.history("news", {})->publications.size(), 1000);
  while (!slowly.go_on(one)) {
  }
  const auto page = it.zone.history("news", {}).value();
  assert_true(page.top == (Position{78, 1000}));
  assert_true(is_complete(page, {78, 0}));
  it.assert_sound();
}

// Its block has come to be something else's, at an offset that is kept again.
void who_reads_meanwhile_finds_its_place_again(void**) {
  for (const bool reverse : {false, true}) {
    // A member holds the annex.
    for (const bool members : {false, true}) {
      Elsewhere it(small_options(), 8 << 20);
      if (members) (void)it.zone.enter(it.reader, it.ref, {}, false);
      assert_true(it.anchor(2000, window(1, 2000)).ok());
      Slowly slowly(it);
      const HistoryQuery query{.reverse = reverse};
      HistoryReader reader(query);
      assert_false(slowly.read_on(reader));
      assert_true(it.anchor(2001).ok());
      (void)it.zone.subscribe(it.reader, "other", 0, Anchor::later);
      assert_true(
          it.zone
              .anchor("other", {kEpoch, 500}, window(1, 500, 200), kThousands)
              .ok());
      assert_true(it.anchor(2000, window(2, 2000)).ok());
      while (!slowly.read_on(reader)) {
      }
      const auto page = reader.take();
      assert_int_equal(page.publications.size(), 2000 - (reverse ? 1 : 0));
      std::uint64_t offset = reverse ? 2001 : 0;
      for (const Kept& it : page.publications) {
        offset += reverse ? -1 : 1;
        assert_int_equal(it.position.offset, offset);
        assert_text(it.data, made(offset).c_str());
      }
    }
  }
}

void a_zone_without_positions_is_taken_up_again(void**) {
  TestZone it(small_options(), 8 << 20);
  wait_for(spawn([&] {
    const SeatIndex seat = it.zone.claim_seat().value();
    it.zone.set_relay(seat, true);
    for (const char* name : {"news", "other", "third"}) {
      (void)it.zone.subscribe(seat, name, 0, Anchor::later);
    }
    (void)it.zone.anchor("other", {kEpoch, 3}, window(1, 3), kThousands);
    // The same epoch twice, which only a zone's own have to avoid.
    (void)it.zone.anchor("third", {kEpoch, 9}, {}, kThousands);
    Slowly slowly(it);
    const auto recent = window(1, 1000);
    Anchoring half("news", {kEpoch, 1000}, recent, kThousands);
    assert_false(slowly.go_on(half));
  }));
  auto zone =
      Zone::reopen(it.memory.bytes(), small_options(), it.clock, it.waker);
  assert_true(zone.ok());
  assert_null(zone->check());
  assert_int_equal(zone->relays().size(), 0);
  assert_true(zone->position("news").value() == kNone);
  assert_text(kept(*zone, "other"), "1 2 3 of 3");
  assert_true(zone->anchor("news", {kEpoch, 2}, window(1, 2), kThousands).ok());
  assert_text(kept(*zone), "1 2 of 2");
}

}  // namespace
}  // namespace paperboy::broker::shm

int main() {
  using namespace paperboy::broker::shm;
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_channel_may_have_no_position),
      cmocka_unit_test(the_zone_begins_an_epoch_where_it_has_to),
      cmocka_unit_test(an_event_needs_no_position),
      cmocka_unit_test(an_anchor_tells_the_position),
      cmocka_unit_test(it_is_told_again_where_nothing_changes),
      cmocka_unit_test(what_it_cant_be_is_refused),
      cmocka_unit_test(a_window_is_kept),
      cmocka_unit_test(of_a_window_the_rule_keeps_the_last),
      cmocka_unit_test(what_is_older_than_the_zone_is_of_its_beginning),
      cmocka_unit_test(another_position_forgets_what_was_kept),
      cmocka_unit_test(a_longer_window_replaces_what_is_kept),
      cmocka_unit_test(a_long_window_is_kept_in_several_holds),
      cmocka_unit_test(long_messages_are_kept_too),
      cmocka_unit_test(room_is_made_at_any_channels_cost),
      cmocka_unit_test(what_is_too_large_to_be_kept_is_left_out),
      cmocka_unit_test(a_full_log_refuses_an_anchor),
      cmocka_unit_test(a_channel_is_released_that_nobody_wants),
      cmocka_unit_test(a_dead_workers_interest_keeps_nothing),
      cmocka_unit_test(who_died_without_a_position_is_not_told),
      cmocka_unit_test(members_are_read_without_a_position),
      cmocka_unit_test(half_a_window_is_nobodys),
      cmocka_unit_test(what_is_left_of_half_a_window_goes),
      cmocka_unit_test(two_windows_at_once_are_not_mixed),
      cmocka_unit_test(who_reads_meanwhile_finds_its_place_again),
      cmocka_unit_test(a_zone_without_positions_is_taken_up_again),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
