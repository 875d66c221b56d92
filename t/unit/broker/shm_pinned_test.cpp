// What is pinned: no need of others lets it go.
#include "broker/shm_history.hpp"

#include "base/token_record.hpp"
#include "hub/order.hpp"
#include "hub/revoker.hpp"
#include "hub/tokens.hpp"

#include "shm_support.hpp"

namespace paperboy::broker::shm {
namespace {

constexpr Retention kMany{.count = 1'000'000};
constexpr Retention kPinned{.count = 1'000'000, .pinned = true};

/// A zone with a reader that takes whatever comes.
struct Kept : TestZone {
  explicit Kept(const Options& options = small_options(), std::size_t size = 0)
      : TestZone(options, size), reader(claim()) {
    (void)zone.subscribe(reader, "somewhere");
  }

  Result<Published> publish(const Draft& draft) {
    Notes notes;
    (void)zone.drain(reader, {}, notes);
    return zone.publish(draft);
  }
  Result<Published> publish(Bytes channel, Bytes data, const Retention& keep) {
    return publish({.channel = channel, .data = data, .keep = keep});
  }
  void publish_numbers(Bytes channel, int from, int to, const Retention& keep) {
    for (int i = from; i <= to; i++) {
      assert_true(publish(channel, std::to_string(i), keep).ok());
    }
  }

  HistoryPage page(Bytes channel, const HistoryQuery& query = {}) {
    return zone.history(channel, query).value();
  }
  /// "offset=data;", as many as there are.
  std::string read(Bytes channel, const HistoryQuery& query = {}) {
    std::string all;
    for (const auto& kept : page(channel, query).publications) {
      all += std::to_string(kept.position.offset) + "=" + kept.data + ";";
    }
    return all;
  }

  SeatIndex reader;
};

/// Channels with history that nobody listens to, until there is no room.
void fill_with_idle_channels(Kept& it) {
  for (int i = 0; it.zone.stats().arena_free > 0; i++) {
    assert_true(it.publish("c" + std::to_string(i), "x", {.count = 10}).ok());
  }
}

void what_is_pinned_stays_however_much_others_keep(void**) {
  Kept it;
  const std::string data(1000, 'x');
  it.publish_numbers("ours", 1, 3, kPinned);
  while (it.zone.stats().history_evictions < 100) {
    assert_true(it.publish("news", data, kMany).ok());
  }
  it.publish_numbers("ours", 4, 4, kPinned);
  for (int i = 0; i < 2000; i++) {
    assert_true(it.publish("c" + std::to_string(i), data, kMany).ok());
  }
  assert_string_equal(it.read("ours").c_str(), "1=1;2=2;3=3;4=4;");
  it.assert_sound();
}

void what_is_pinned_stays_where_channels_need_room(void**) {
  Kept it;
  it.publish_numbers("ours", 1, 3, kPinned);
  fill_with_idle_channels(it);
  for (int i = 0; it.zone.subscribe(it.reader, "new" + std::to_string(i)).ok();
       i++) {
  }
  assert_string_equal(it.read("ours").c_str(), "1=1;2=2;3=3;");
  it.assert_sound();
}

void half_of_it_is_left_to_what_is_not_pinned(void**) {
  Kept it;
  const std::string data(1000, 'x');
  while (it.publish("ours", data, kPinned).ok()) {
  }
  assert_true(it.publish("ours", data, kPinned).error().code ==
              ErrorCode::zone_full);
  const Stats full = it.zone.stats();
  assert_true(full.history_used <= full.history_size / 2);
  assert_true(full.history_used + 2 * kMaxBlock > full.history_size / 2);
  assert_int_equal(full.history_evictions, 0);
  while (it.zone.stats().history_evictions < 10) {
    assert_true(it.publish("news", data, kMany).ok());
  }
  assert_false(it.publish("ours", data, kPinned).ok());
  assert_int_equal(it.zone.stats().history_evictions, 10);
  it.assert_sound();
  // What is let go makes room.
  const Position top = it.zone.position("ours").value();
  assert_true(it.zone.remove_history("ours", Position{top.epoch, 10}).ok());
  assert_int_equal(it.page("ours").publications[0].position.offset, 11);
  for (int i = 0; i < 10; i++) {
    assert_true(it.publish("ours", data, kPinned).ok());
  }
  assert_false(it.publish("ours", data, kPinned).ok());
  assert_true(
      it.zone.remove_history("ours", Position{top.epoch + 1, top.offset}).ok());
  assert_int_equal(it.page("ours").publications.size(), top.offset);
  it.assert_sound();
}

// In chunks, too.
void what_is_pinned_is_counted_as_it_is(void**) {
  Kept it;
  for (const std::size_t size : {1UL, 1000UL, 4048UL, 4049UL, 8137UL, 9000UL}) {
    const std::string data(size, 'x');
    assert_true(it.publish("ours", data, kPinned).ok());
    it.assert_sound();
  }
  const Position top = it.zone.position("ours").value();
  assert_true(it.zone.remove_history("ours", Position{top.epoch, 5}).ok());
  it.assert_sound();
}

constexpr std::size_t kWithReserve = 1024UL * 1024;

void a_withdrawal_has_room_where_channels_have_filled_the_zone(void**) {
  Kept it(small_options(), kWithReserve);
  for (const Bytes own : {hub::kRevocations, hub::kOrders}) {
    assert_true(it.zone.subscribe(it.reader, own).ok());
  }
  for (int i = 0; it.zone.subscribe(it.reader, "c" + std::to_string(i)).ok();
       i++) {
  }
  const auto refused = [&] {
    return !it.zone.subscribe(it.reader, "more").ok() &&
           !it.publish("c1", "x", kMany).ok() &&
           !it.publish("c1", "x", kPinned).ok();
  };
  assert_true(refused());
  for (int i = 0; i < 300; i++) {
    assert_true(it.publish(hub::kRevocations, "gone", kPinned).ok());
    assert_true(it.publish(hub::kOrders, "go", {.count = 10}).ok());
    assert_true(refused());
  }
  assert_int_equal(it.page(hub::kRevocations).publications.size(), 300);
  it.assert_sound();
  // What was of the reserve is of it again.
  const std::size_t before = it.zone.stats().arena_free;
  assert_true(it.zone.remove_history(hub::kRevocations).ok());
  assert_true(it.zone.stats().arena_free > before);
  assert_true(refused());
  it.assert_sound();
}

void the_end_of_a_token_has_room_where_tokens_have_none(void**) {
  Kept it(small_options(), kWithReserve);
  const TokenRecord put{.hash = std::string(TokenRecord::kHash, 'h'),
                        .expires = 1,
                        .claims = std::string(9000, 'x')};
  TokenRecord end = put;
  end.kind = TokenRecord::Kind::end;
  end.claims.clear();
  while (it.publish(hub::kTokens, encode(put), kPinned).ok()) {
  }
  assert_true(it.publish(hub::kTokens, encode(end), kPinned).ok());
  assert_false(it.publish(hub::kTokens, encode(put), kPinned).ok());
  it.assert_sound();
}

void the_reserve_has_an_end(void**) {
  Kept it(small_options(), kWithReserve);
  const std::string data(1000, 'x');
  while (it.publish(hub::kRevocations, data, kPinned).ok()) {
  }
  const Stats full = it.zone.stats();
  assert_true(full.history_used > full.history_size);
  assert_true(full.history_used <= full.history_size + 4 * kPageSize);
  assert_true(it.publish("news", "x", kMany).error().code ==
              ErrorCode::zone_full);
  assert_true(it.publish("news", "x", {}).ok());
  it.assert_sound();
}

void what_is_pinned_goes_with_its_rule(void**) {
  Kept it;
  const Retention two{.count = 2, .age_ms = 1000, .pinned = true};
  it.publish_numbers("ours", 1, 3, two);
  assert_string_equal(it.read("ours").c_str(), "2=2;3=3;");
  for (int i = 0; i < 64; i++) {  // a round over all channels
    it.clock.now += 1000;
    it.zone.sweep();
  }
  assert_int_equal(it.zone.stats().history_messages, 0);
  it.assert_sound();
}

void the_first_that_is_kept_decides_for_its_channel(void**) {
  Kept it;
  it.publish_numbers("ours", 1, 1, kPinned);
  it.publish_numbers("ours", 2, 2, kMany);
  it.publish_numbers("news", 1, 1, kMany);
  it.publish_numbers("news", 2, 2, kPinned);
  it.assert_sound();
  const std::string data(1000, 'x');
  while (it.zone.stats().history_evictions < 2) {
    assert_true(it.publish("other", data, kMany).ok());
  }
  assert_string_equal(it.read("ours").c_str(), "1=1;2=2;");
  assert_string_equal(it.read("news").c_str(), "");
  it.assert_sound();
}

}  // namespace
}  // namespace paperboy::broker::shm

int main() {
  using namespace paperboy::broker::shm;
  const CMUnitTest tests[] = {
      cmocka_unit_test(what_is_pinned_stays_however_much_others_keep),
      cmocka_unit_test(what_is_pinned_stays_where_channels_need_room),
      cmocka_unit_test(half_of_it_is_left_to_what_is_not_pinned),
      cmocka_unit_test(what_is_pinned_is_counted_as_it_is),
      cmocka_unit_test(
          a_withdrawal_has_room_where_channels_have_filled_the_zone),
      cmocka_unit_test(the_end_of_a_token_has_room_where_tokens_have_none),
      cmocka_unit_test(the_reserve_has_an_end),
      cmocka_unit_test(what_is_pinned_goes_with_its_rule),
      cmocka_unit_test(the_first_that_is_kept_decides_for_its_channel),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
