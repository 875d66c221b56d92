#include "broker/shm_keys.hpp"

#include "shm_support.hpp"

namespace paperboy::broker::shm {
namespace {

struct Keyed : TestZone {
  explicit Keyed(std::size_t size = 0) : TestZone(small_options(), size) {
    reader = claim();
    (void)zone.subscribe(reader, "news");
  }

  Result<Published> publish(Bytes key, Bytes channel = "news",
                            std::uint64_t ms = 1000, bool evict = true) {
    return zone.publish({.channel = channel,
                         .data = key,
                         .keep = {.evict = evict},
                         .idempotency_key = key,
                         .idempotency_ms = ms});
  }

  /// How many came since it was asked last.
  std::size_t heard() {
    Notes notes;
    (void)zone.drain(reader, {}, notes);
    return notes.lines.size();
  }

  SeatIndex reader = 0;
};

void the_same_key_is_published_once(void**) {
  Keyed it;
  const auto first = it.publish("k").value();
  assert_false(first.repeated);
  assert_int_equal(first.subscribers, 1);
  assert_true(it.publish("l").ok());
  const auto again = it.publish("k").value();
  assert_true(again.repeated);
  assert_true(again.position == first.position);
  assert_int_equal(it.heard(), 2);
  assert_int_equal(it.zone.position("news")->offset, 2);
  assert_int_equal(it.zone.stats().keys, 2);
  it.assert_sound();
}

void a_key_is_its_channels(void**) {
  Keyed it;
  assert_false(it.publish("k", "news").value().repeated);
  assert_false(it.publish("k", "chat").value().repeated);
  // The same bytes, put together otherwise.
  assert_false(it.publish("sk", "new").value().repeated);
  assert_false(it.publish("", "news").value().repeated);
  assert_false(it.publish("", "news").value().repeated);
}

void a_key_counts_for_its_time(void**) {
  Keyed it;
  (void)it.publish("k", "news", 1000);
  it.clock.now += 999;
  assert_true(it.publish("k").value().repeated);
  it.clock.now += 1;
  const auto second = it.publish("k", "news", 500).value();
  assert_false(second.repeated);
  it.clock.now += 499;
  assert_true(it.publish("k").value().position == second.position);
  it.clock.now += 1;
  assert_false(it.publish("k", "news", 0).value().repeated);
  assert_false(it.publish("k", "news", 0).value().repeated);
  it.assert_sound();
}

void a_key_outlives_its_channel(void**) {
  Keyed it;
  const auto first = it.publish("k", "idle", 1'000'000).value();
  for (int i = 0; it.zone.position("idle").ok(); i++) {
    (void)it.zone.publish("c" + std::to_string(i), Kind::text, "");
  }
  const auto again = it.publish("k", "idle").value();
  assert_true(again.repeated && again.position == first.position);
  assert_false(it.zone.position("idle").ok());
}

void keys_over_their_time_go_by_themselves(void**) {
  Keyed it(4 << 20);
  for (int i = 0; i < 3000; i++) {
    (void)it.publish(std::to_string(i), "news", 1000);
    (void)it.heard();
  }
  assert_int_equal(it.zone.stats().keys, 3000);
  it.clock.now += 1000;
  for (int i = 0; i < 800; i++) {
    (void)it.publish("x" + std::to_string(i), "news", 60'000);
    (void)it.heard();
  }
  assert_int_equal(it.zone.stats().keys, 800);
  it.assert_sound();
  for (int i = 0; i < 100; i++) {
    it.clock.now += 1000;
    it.zone.sweep();
  }
  assert_int_equal(it.zone.stats().keys, 0);
  it.assert_sound();
}

// Behind one that lasts, others go when a lookup comes by.
void a_lasting_key_holds_no_others(void**) {
  Keyed it;
  (void)it.publish("lasting", "news", 10'000'000);
  for (int i = 0; i < 1000; i++) {
    (void)it.publish(std::to_string(i), "news", 1000);
    (void)it.heard();
    it.clock.now += 2000;
  }
  assert_true(it.zone.stats().keys < 1000);
  assert_true(it.publish("lasting").value().repeated);
  it.assert_sound();
}

void without_room_for_the_key_it_is_refused(void**) {
  Keyed it;
  Result<Published> last = it.publish("k");
  for (int i = 0; last.ok(); i++) {
    last = it.publish(std::to_string(i), "news", 1'000'000, false);
    (void)it.heard();
  }
  assert_true(last.error().code == ErrorCode::zone_full);
  const auto top = it.zone.position("news").value();
  assert_true(it.publish("new", "news", 1000, true).error().code ==
              ErrorCode::zone_full);
  assert_true(it.zone.position("news").value() == top);
  assert_true(it.zone.publish("news", Kind::text, "no key").ok());
  assert_true(it.publish("k").value().repeated);
  it.assert_sound();
  it.clock.now += 1'000'000;
  assert_true(it.publish("new").ok());
}

// What was remembered longest makes room for keys too, where the rule allows.
void history_makes_room_for_keys(void**) {
  Keyed it;
  const std::string data(1000, 'x');
  for (int i = 0; it.zone.stats().history_evictions == 0; i++) {
    assert_true(
        it.zone
            .publish(
                {.channel = "news", .data = data, .keep = {.count = 1'000'000}})
            .ok());
    assert_true(it.publish("a" + std::to_string(i), "news", 1'000'000).ok());
    (void)it.heard();
  }
  Result<Published> last = it.publish("k");
  const auto before = it.zone.stats().history_evictions;
  for (int i = 0; it.zone.stats().history_evictions == before; i++) {
    last = it.publish("b" + std::to_string(i), "news", 1'000'000);
    assert_true(last.ok());
    (void)it.heard();
  }
  it.assert_sound();
}

void keys_have_bounds_and_events_none(void**) {
  Keyed it;
  const std::string longest(Draft::kMaxIdempotencyKey, 'k');
  assert_true(it.publish(longest).ok());
  assert_true(it.publish(longest).value().repeated);
  assert_true(it.publish(longest + "k").error().code == ErrorCode::bad_request);
  for (int i = 0; i < 2; i++) {
    const auto told = it.zone.publish(
        {.channel = "news", .event = Event::join, .idempotency_key = "e"});
    assert_false(told.value().repeated);
  }
}

void a_repeated_one_is_answered_even_if_the_log_is_full(void**) {
  Keyed it;
  (void)it.publish("k");
  while (it.zone.publish("news", Kind::text, std::string(1000, 'x')).ok()) {
  }
  assert_true(it.publish("k").value().repeated);
}

}  // namespace
}  // namespace paperboy::broker::shm

int main() {
  using namespace paperboy::broker::shm;
  const CMUnitTest tests[] = {
      cmocka_unit_test(the_same_key_is_published_once),
      cmocka_unit_test(a_key_is_its_channels),
      cmocka_unit_test(a_key_counts_for_its_time),
      cmocka_unit_test(a_key_outlives_its_channel),
      cmocka_unit_test(keys_over_their_time_go_by_themselves),
      cmocka_unit_test(a_lasting_key_holds_no_others),
      cmocka_unit_test(without_room_for_the_key_it_is_refused),
      cmocka_unit_test(history_makes_room_for_keys),
      cmocka_unit_test(keys_have_bounds_and_events_none),
      cmocka_unit_test(a_repeated_one_is_answered_even_if_the_log_is_full),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
