#include "broker/shm_directory.hpp"

#include <set>

#include "shm_support.hpp"

namespace paperboy::broker::shm {
namespace {

std::string numbered(const char* stem, int i) {
  return stem + std::to_string(i);
}

void a_channel_is_found_again(void**) {
  TestZone it;
  const SeatIndex seat = it.claim();
  const auto first = it.zone.subscribe(seat, "news").value();
  assert_int_equal(first.top.offset, 0);
  assert_int_not_equal(first.top.epoch, 0);
  const auto second = it.zone.subscribe(seat, "news").value();
  assert_int_equal(first.ref, second.ref);
  assert_true(first.top == second.top);
  assert_true(it.zone.name(first.ref) == "news");
  assert_int_equal(it.zone.channel_count(), 1);
  assert_true(it.zone.position("other").error().code == ErrorCode::not_found);
}

void positions_grow_with_each_publication(void**) {
  TestZone it;
  const SeatIndex seat = it.claim();
  const auto one = it.zone.publish("news", Kind::text, "a").value();
  const auto two = it.zone.publish("news", Kind::text, "b").value();
  assert_int_equal(one.position.offset, 1);
  assert_int_equal(two.position.offset, 2);
  assert_int_equal(one.position.epoch, two.position.epoch);
  assert_true(it.zone.position("news").value() == two.position);
  const auto subscribed = it.zone.subscribe(seat, "news").value();
  assert_true(subscribed.top == two.position);
  assert_true(it.zone.position(subscribed.ref) == two.position);
}

void names_have_bounds(void**) {
  TestZone it;
  const SeatIndex seat = it.claim();
  for (const std::string& name :
       {std::string(), std::string(kMaxName + 1, 'x')}) {
    assert_true(it.zone.subscribe(seat, name).error().code ==
                ErrorCode::channel_name);
    assert_true(it.zone.publish(name, Kind::text, "").error().code ==
                ErrorCode::channel_name);
    assert_true(it.zone.position(name).error().code == ErrorCode::channel_name);
  }
  assert_true(it.zone.subscribe(seat, std::string(kMaxName, 'x')).ok());
  assert_true(it.zone.subscribe(seat, std::string("a\0b", 3)).ok());
  assert_true(it.zone.subscribe(seat, "a").ok());
  assert_int_equal(it.zone.channel_count(), 3);
}

void subscriptions_are_counted_by_seat(void**) {
  TestZone it;
  const SeatIndex one = it.claim();
  const SeatIndex two = it.claim();
  const auto ref = it.zone.subscribe(one, "news")->ref;
  (void)it.zone.subscribe(one, "news");
  (void)it.zone.subscribe(two, "news");
  assert_int_equal(it.zone.publish("news", Kind::text, "a")->subscribers, 3);
  assert_true(it.zone.unsubscribe(one, ref).ok());
  assert_int_equal(it.zone.publish("news", Kind::text, "a")->subscribers, 2);
  assert_true(it.zone.unsubscribe(one, ref).ok());
  assert_true(it.zone.unsubscribe(one, ref).error().code ==
              ErrorCode::not_found);
  assert_true(it.zone.unsubscribe(one, 0).error().code == ErrorCode::not_found);
  assert_true(it.zone.unsubscribe(two, ref).ok());
  assert_int_equal(it.zone.publish("news", Kind::text, "a")->subscribers, 0);
}

void the_first_seat_needs_no_block_of_its_own(void**) {
  TestZone it;
  const SeatIndex one = it.claim();
  const SeatIndex two = it.claim();
  const std::string name(22, 'x');
  const auto ref = it.zone.subscribe(one, name)->ref;
  assert_int_equal(it.zone.stats().arena_used, 64);
  (void)it.zone.subscribe(two, name);
  assert_int_equal(it.zone.stats().arena_used, 128);
  it.assert_sound();
  assert_true(it.zone.unsubscribe(one, ref).ok());
  it.assert_sound();
  assert_int_equal(it.zone.stats().arena_used, 64);
  assert_int_equal(it.zone.publish(name, Kind::text, "a")->subscribers, 1);
}

// 512 interests fill the largest block.
void every_seat_may_want_a_channel(void**) {
  Options options = small_options();
  options.seats = kMaxSeats;
  TestZone it(options);
  ChannelRef ref = 0;
  std::vector<SeatIndex> seats;
  for (std::size_t i = 0; i < kMaxSeats; i++) {
    seats.push_back(it.claim());
    ref = it.zone.subscribe(seats.back(), "news")->ref;
  }
  it.assert_sound();
  assert_int_equal(it.zone.publish("news", Kind::text, "a")->subscribers,
                   kMaxSeats);
  assert_int_equal(it.waker.wakes.size(), kMaxSeats);
  for (const SeatIndex seat : seats) {
    assert_true(it.zone.unsubscribe(seat, ref).ok());
  }
  it.assert_sound();
  assert_true(it.zone.stats().arena_used <= 96);
}

void a_full_zone_evicts_who_was_longest_not_used(void**) {
  TestZone it;
  const SeatIndex seat = it.claim();
  const auto kept = it.zone.subscribe(seat, "kept")->top;
  const auto before = it.zone.publish("idle", Kind::text, "")->position;
  int made = 0;
  for (; it.zone.stats().evictions == 0; made++) {
    it.clock.now += 1000;
    // In use, so not the oldest.
    if (made % 100 == 0) (void)it.zone.publish("used", Kind::text, "");
    Notes notes;
    assert_true(it.zone.publish(numbered("c", made), Kind::text, "").ok());
    (void)it.zone.drain(seat, {}, notes);
  }
  assert_true(made > 1000);
  assert_true(it.zone.position("idle").error().code == ErrorCode::not_found);
  assert_true(it.zone.position("kept").value() == kept);
  assert_true(it.zone.position("used").ok());
  assert_true(it.zone.position(numbered("c", made - 1)).ok());
  const auto after = it.zone.publish("idle", Kind::text, "")->position;
  assert_int_equal(after.offset, 1);
  assert_int_not_equal(after.epoch, before.epoch);
  it.assert_sound();
}

void epochs_never_come_back(void**) {
  TestZone it;
  std::set<std::uint64_t> epochs;
  for (int i = 0; i < 10'000; i++) {
    const auto made = it.zone.publish(numbered("c", i), Kind::text, "");
    assert_true(epochs.insert(made->position.epoch).second);
  }
  assert_true(it.zone.stats().evictions > 0);
}

void a_zone_full_of_wanted_channels_refuses_more(void**) {
  TestZone it;
  const SeatIndex seat = it.claim();
  int made = 0;
  while (it.zone.subscribe(seat, numbered("c", made)).ok()) made++;
  assert_true(made > 1000);
  assert_true(it.zone.subscribe(seat, "one more").error().code ==
              ErrorCode::too_many_channels);
  assert_true(it.zone.publish("one more", Kind::text, "").error().code ==
              ErrorCode::too_many_channels);
  assert_int_equal(it.zone.stats().evictions, 0);
  assert_int_equal(it.zone.channel_count(), made);
  // Nobody else is hurt, and whoever leaves makes room.
  assert_int_equal(it.zone.publish("c7", Kind::text, "")->subscribers, 1);
  const auto ref = it.zone.subscribe(seat, "c7")->ref;
  assert_true(it.zone.unsubscribe(seat, ref).ok());
  assert_true(it.zone.unsubscribe(seat, ref).ok());
  bool room = false;
  for (int i = 0; i < 10 && !room; i++) {
    room = it.zone.subscribe(seat, "c-new").ok();
  }
  assert_true(room);
  it.assert_sound();
}

void what_a_dead_worker_wanted_can_be_evicted(void**) {
  TestZone it;
  wait_for(spawn([&it] {
    const SeatIndex seat = it.zone.claim_seat().value();
    for (int i = 0; it.zone.subscribe(seat, numbered("c", i)).ok(); i++) {
    }
  }));
  assert_int_equal(it.zone.reap_dead_seats(), 1);
  assert_true(it.zone.publish("new", Kind::text, "").ok());
  assert_int_equal(it.zone.stats().evictions, 1);
  it.assert_sound();
}

void another_size_of_block_finds_room_among_idle_channels(void**) {
  TestZone it;
  for (int i = 0; it.zone.stats().evictions == 0; i++) {
    (void)it.zone.publish(numbered("c", i), Kind::text, "");
  }
  assert_true(it.zone.publish(std::string(500, 'x'), Kind::text, "").ok());
  it.assert_sound();
}

void many_channels_stay_apart(void**) {
  TestZone it(small_options(), 32 << 20);
  constexpr int kMany = 100'000;
  const SeatIndex seat = it.claim();
  for (int i = 0; i < kMany; i++) {
    assert_true(it.zone.subscribe(seat, numbered("channel-", i)).ok());
  }
  assert_int_equal(it.zone.channel_count(), kMany);
  for (int i = 0; i < kMany; i += 97) {
    const std::string name = numbered("channel-", i);
    const auto again = it.zone.subscribe(seat, name).value();
    assert_true(it.zone.name(again.ref) == name);
  }
  it.assert_sound();
}

/// All pages; how many there were.
int list(TestZone& it, ChannelQuery query, std::map<std::string, int>& names) {
  for (int pages = 1;; pages++) {
    const auto page = it.zone.channels(query).value();
    assert_true(page.channels.size() <= query.limit + 20);
    for (const auto& channel : page.channels) names[channel.name]++;
    query.cursor = page.cursor;
    if (query.cursor == 0) return pages;
  }
}

void channels_are_listed_in_pages(void**) {
  TestZone it(small_options(), 4 << 20);
  const SeatIndex seat = it.claim();
  for (int i = 0; i < 3000; i++) {
    (void)it.zone.publish(numbered("c", i), Kind::text, "");
    Notes notes;
    (void)it.zone.drain(seat, {}, notes);
  }
  for (const std::size_t limit : {1UL, 100UL, 2999UL, 100'000UL}) {
    std::map<std::string, int> names;
    const int pages = list(it, {.limit = limit}, names);
    assert_int_equal(names.size(), 3000);
    for (const auto& [name, times] : names) assert_int_equal(times, 1);
    assert_true(limit >= 3000 ? pages <= 2 : pages > 1);
  }
}

void channels_of_our_own_are_not_counted(void**) {
  TestZone it(small_options());
  const SeatIndex one = it.claim();
  (void)it.zone.subscribe(one, Bytes("\0\0own", 5));
  (void)it.zone.publish(Bytes("\0orders", 7), Kind::text, "");
  (void)it.zone.subscribe(one, "news");
  assert_int_equal(it.zone.channel_count(), 1);
  assert_int_equal(it.zone.stats().channels, 3);
  assert_null(it.zone.check());
  // Those that are dropped don't count any more, whichever they are.
  for (int i = 0; it.zone.stats().evictions < 2; ++i) {
    (void)it.zone.publish("c" + std::to_string(i), Kind::text, "");
  }
  assert_null(it.zone.check());
  assert_int_equal(it.zone.channel_count(), it.zone.stats().channels - 1);
}

void a_listing_tells_what_a_channel_is(void**) {
  TestZone it;
  const SeatIndex one = it.claim();
  const SeatIndex two = it.claim();
  (void)it.zone.subscribe(one, "news");
  (void)it.zone.subscribe(one, "news");
  (void)it.zone.subscribe(two, "news");
  (void)it.zone.subscribe(two, "old");
  const auto top = it.zone.publish("news", Kind::text, "")->position;
  (void)it.zone.publish("newspaper", Kind::text, "");
  it.release(two);
  const auto all = it.zone.channels({.prefix = "new"}).value();
  assert_int_equal(all.channels.size(), 2);
  const auto page =
      it.zone.channels({.prefix = "new", .subscribed = true}).value();
  assert_int_equal(page.channels.size(), 1);
  assert_true(page.channels[0].name == "news");
  assert_true(page.channels[0].position == top);
  assert_int_equal(page.channels[0].subscribers, 2);
  assert_int_equal(it.zone.channels({.subscribed = true})->channels.size(), 1);
  for (const std::uint64_t cursor : {std::uint64_t{1} << 40, UINT64_MAX}) {
    const auto none = it.zone.channels({.cursor = cursor}).value();
    assert_true(none.channels.empty() && none.cursor == 0);
  }
}

void a_large_directory_is_listed_in_bounded_shares(void**) {
  TestZone it(small_options(), 64 << 20);
  for (const char* name : {"a", "b", "c"}) {
    (void)it.zone.publish(name, Kind::text, "");
  }
  std::map<std::string, int> names;
  assert_true(list(it, {}, names) > 1);
  assert_int_equal(names.size(), 3);
}

}  // namespace
}  // namespace paperboy::broker::shm

int main() {
  using namespace paperboy::broker::shm;
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_channel_is_found_again),
      cmocka_unit_test(positions_grow_with_each_publication),
      cmocka_unit_test(names_have_bounds),
      cmocka_unit_test(subscriptions_are_counted_by_seat),
      cmocka_unit_test(the_first_seat_needs_no_block_of_its_own),
      cmocka_unit_test(every_seat_may_want_a_channel),
      cmocka_unit_test(a_full_zone_evicts_who_was_longest_not_used),
      cmocka_unit_test(epochs_never_come_back),
      cmocka_unit_test(a_zone_full_of_wanted_channels_refuses_more),
      cmocka_unit_test(what_a_dead_worker_wanted_can_be_evicted),
      cmocka_unit_test(another_size_of_block_finds_room_among_idle_channels),
      cmocka_unit_test(many_channels_stay_apart),
      cmocka_unit_test(channels_are_listed_in_pages),
      cmocka_unit_test(channels_of_our_own_are_not_counted),
      cmocka_unit_test(a_listing_tells_what_a_channel_is),
      cmocka_unit_test(a_large_directory_is_listed_in_bounded_shares),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
