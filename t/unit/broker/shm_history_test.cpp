#include "broker/shm_history.hpp"

#include "broker/shm_history_reader.hpp"
#include "shm_support.hpp"

namespace paperboy::broker::shm {
namespace {

constexpr Retention kTen{.count = 10};
constexpr Retention kMany{.count = 1'000'000};
constexpr Retention kNotEvicting{.count = 1'000'000, .evict = false};

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
  std::uint64_t epoch(Bytes channel) {
    return zone.position(channel).value().epoch;
  }

  SeatIndex reader;
};

void as_many_as_the_rule_says_are_kept(void**) {
  Kept it;
  it.publish_numbers("news", 1, 3, {.count = 3});
  assert_string_equal(it.read("news").c_str(), "1=1;2=2;3=3;");
  it.publish_numbers("news", 4, 5, {.count = 3});
  assert_string_equal(it.read("news").c_str(), "3=3;4=4;5=5;");
  assert_int_equal(it.zone.stats().history_messages, 3);
  it.publish_numbers("news", 6, 6, {.count = 1});
  assert_string_equal(it.read("news").c_str(), "6=6;");
  assert_int_equal(it.zone.stats().history_evictions, 0);
  it.assert_sound();
}

void a_publication_comes_back_as_it_was(void**) {
  Kept it;
  const Bytes data("\0\xff\n", 3);
  const auto made = it.publish({.channel = "news",
                                .kind = Kind::binary,
                                .data = data,
                                .extra = R"("info":{})",
                                .keep = kTen});
  (void)it.publish("news", "", kTen);
  const auto page = it.page("news");
  assert_int_equal(page.publications.size(), 2);
  assert_true(page.publications[0].position == made->position);
  assert_true(page.publications[0].kind == Kind::binary);
  assert_true(page.publications[0].data == data);
  assert_true(page.publications[0].extra == R"("info":{})");
  assert_true(page.publications[1].kind == Kind::text);
  assert_true(page.publications[1].data.empty());
  assert_true(page.publications[1].extra.empty());
  assert_true(page.top == page.publications[1].position);
}

void long_messages_come_back_whole(void**) {
  Options options = small_options();
  options.log_size = 1 << 20;
  Kept it(options, 4 << 20);
  std::string all(70'000, 'x');
  for (std::size_t i = 0; i < all.size(); i++) {
    all[i] = static_cast<char>('a' + i * 7919 % 26);
  }
  for (const std::size_t border : {16, 48, 4040, 4048, 8136, 12'224, 65'000}) {
    for (std::size_t n = border - 3; n <= border + 12; n++) {
      for (const std::size_t extra : {std::size_t{0}, n / 2, n}) {
        const Bytes bytes = Bytes(all).substr(0, n);
        const Draft draft{.channel = "news",
                          .data = bytes.substr(0, n - extra),
                          .extra = bytes.substr(n - extra),
                          .keep = {.count = 1}};
        assert_true(it.publish(draft).ok());
        const auto page = it.page("news");
        assert_int_equal(page.publications.size(), 1);
        assert_true(page.publications[0].data == draft.data);
        assert_true(page.publications[0].extra == draft.extra);
        assert_int_equal(it.zone.stats().history_used, History::cost(draft));
      }
    }
    it.assert_sound();
  }
}

void a_rule_limits_the_bytes_in_all(void**) {
  Kept it;
  const Retention keep{.count = 100, .bytes = 10};
  it.publish_numbers("news", 100, 103, keep);
  assert_string_equal(it.read("news").c_str(), "2=101;3=102;4=103;");
  (void)it.publish("news", "12345678", keep);
  assert_string_equal(it.read("news").c_str(), "5=12345678;");
  (void)it.publish("news", "12345678901", keep);
  assert_string_equal(it.read("news").c_str(), "");
  assert_int_equal(it.zone.stats().history_used, 0);
  it.assert_sound();
}

void what_is_over_its_age_is_not_shown(void**) {
  Kept it;
  const Retention keep{.count = 100, .age_ms = 1000};
  it.publish_numbers("news", 1, 1, keep);
  it.clock.now += 600;
  it.publish_numbers("news", 2, 2, keep);
  it.clock.now += 399;
  assert_string_equal(it.read("news").c_str(), "1=1;2=2;");
  it.clock.now += 1;
  assert_string_equal(it.read("news").c_str(), "2=2;");
  it.clock.now += 600;
  assert_string_equal(it.read("news").c_str(), "");
  assert_int_equal(it.page("news").top.offset, 2);
  assert_int_equal(it.zone.stats().history_used, 0);
  it.assert_sound();
}

void one_that_keeps_nothing_leaves_what_is_kept(void**) {
  Kept it;
  it.publish_numbers("news", 1, 2, kTen);
  (void)it.publish("news", "unkept", {});
  it.publish_numbers("news", 4, 4, kTen);
  assert_string_equal(it.read("news").c_str(), "1=1;2=2;4=4;");
  const HistoryQuery all{.since = Position{it.epoch("news"), 0}};
  assert_false(is_complete(it.page("news", all), *all.since));
}

void events_are_told_and_not_kept(void**) {
  struct Events final : Visitor {
    void visit(ChannelRef, const Publication& p) override {
      all += std::to_string(static_cast<int>(p.event)) + "@" +
             std::to_string(p.position.offset) + std::string(p.data) +
             std::string(p.extra) + ";";
    }
    std::string all;
  };
  Kept it;
  const SeatIndex seat = it.claim();
  (void)it.zone.subscribe(seat, "news");
  const auto send = [&](Event event, Bytes data, Bytes extra) {
    return it.zone.publish({.channel = "news",
                            .event = event,
                            .data = data,
                            .extra = extra,
                            .keep = kTen});
  };
  assert_int_equal(send(Event::join, "j", "")->position.offset, 0);
  assert_int_equal(send(Event::message, "a", "x")->position.offset, 1);
  const auto left = send(Event::leave, "l", "");
  assert_int_equal(left->position.offset, 1);
  assert_int_equal(left->subscribers, 1);
  assert_int_equal(send(Event::message, "b", "")->position.offset, 2);
  Events events;
  assert_true(it.zone.drain(seat, {}, events) == Drained::empty);
  assert_string_equal(events.all.c_str(), "2@0j;0@1ax;3@1l;0@2b;");
  assert_string_equal(it.read("news").c_str(), "1=a;2=b;");
  it.assert_sound();
}

void queries_choose_from_both_ends(void**) {
  Kept it;
  it.publish_numbers("news", 1, 6, {.count = 4});
  const std::uint64_t epoch = it.epoch("news");
  const auto at = [&](std::uint64_t offset) { return Position{epoch, offset}; };
  const auto read = [&](const HistoryQuery& query) {
    return it.read("news", query);
  };
  using Q = HistoryQuery;
  assert_string_equal(read(Q{}).c_str(), "3=3;4=4;5=5;6=6;");
  assert_string_equal(read(Q{.limit = 2}).c_str(), "3=3;4=4;");
  assert_string_equal(read(Q{.limit = 0}).c_str(), "");
  assert_string_equal(read(Q{.since = at(4)}).c_str(), "5=5;6=6;");
  assert_string_equal(read(Q{.since = at(0)}).c_str(), "3=3;4=4;5=5;6=6;");
  assert_string_equal(read(Q{.since = at(6)}).c_str(), "");
  assert_string_equal(read(Q{.since = at(9)}).c_str(), "");
  assert_string_equal(read(Q{.since = at(3), .limit = 1}).c_str(), "4=4;");
  assert_string_equal(read(Q{.limit = 2, .reverse = true}).c_str(), "6=6;5=5;");
  assert_string_equal(read(Q{.since = at(5), .reverse = true}).c_str(),
                      "4=4;3=3;");
  assert_string_equal(read(Q{.since = at(3), .reverse = true}).c_str(), "");
  assert_string_equal(read(Q{.since = at(0), .reverse = true}).c_str(), "");
  assert_string_equal(read(Q{.since = at(99), .reverse = true}).c_str(),
                      "6=6;5=5;4=4;3=3;");
  assert_string_equal(read(Q{.since = Position{epoch + 1, 4}}).c_str(), "");
  const auto top = it.page("news", {.since = Position{epoch + 1, 4}}).top;
  assert_true(top == at(6));
}

void there_may_be_no_channel_or_no_history(void**) {
  Kept it;
  assert_true(it.zone.history("news", {}).error().code == ErrorCode::not_found);
  assert_true(it.zone.history("", {}).error().code == ErrorCode::channel_name);
  assert_true(it.zone.remove_history("").error().code ==
              ErrorCode::channel_name);
  assert_true(it.zone.remove_history("news").ok());
  (void)it.publish("news", "a", {});
  const auto page = it.page("news");
  assert_int_equal(page.top.offset, 1);
  assert_true(page.publications.empty());
}

void history_is_forgotten_and_offsets_go_on(void**) {
  Kept it;
  it.publish_numbers("news", 1, 600, kMany);
  it.publish_numbers("other", 1, 1, kTen);
  assert_true(it.zone.remove_history("news").ok());
  assert_string_equal(it.read("news").c_str(), "");
  it.assert_sound();
  it.publish_numbers("news", 601, 601, kTen);
  assert_string_equal(it.read("news").c_str(), "601=601;");
  assert_string_equal(it.read("other").c_str(), "1=1;");
}

/// A reading of more than one slice, from any place.
void large_histories_are_read_from_anywhere(void**) {
  Kept it(small_options(), 8 << 20);
  constexpr std::uint64_t kNumber = 9000;
  it.publish_numbers("news", 1, kNumber, kMany);
  const std::uint64_t epoch = it.epoch("news");
  for (const std::uint64_t since : {0, 1, 511, 512, 4000, 5000, 8999}) {
    const Position from{epoch, since};
    const auto page = it.page("news", {.since = from});
    assert_true(is_complete(page, from));
    assert_int_equal(page.publications.size(), kNumber - since);
    const auto back = it.page("news", {.since = from, .reverse = true});
    assert_int_equal(back.publications.size(), since == 0 ? 0 : since - 1);
    std::uint64_t next = since;
    for (const auto& kept : back.publications) {
      assert_int_equal(kept.position.offset, --next);
    }
  }
}

/// The parts that a zone is made of, for one hold of the lock after another.
struct Opened {
  explicit Opened(const TestZone& it)
      : view(it.memory.bytes().data()),
        arena(view),
        order(view, arena),
        history(view, arena, order) {}

  [[nodiscard]] bool read_on(HistoryReader& reader, TestZone& it,
                             ChannelRef ref) const {
    return reader.read_on(history, it.zone.position(ref), order.annex(ref));
  }

  View view;
  Arena arena;
  Order order;
  History history;
};

// Between two holds: what came is left to its subscribers, what went is a
// hole, and the block where the reader stood may be another's.
void what_goes_amid_a_reading_is_a_hole(void**) {
  for (const bool reverse : {false, true}) {
    Kept it(small_options(), 8 << 20);
    const auto ref = it.zone.subscribe(it.reader, "news")->ref;
    it.publish_numbers("news", 1, 2000, {.count = 2000});
    const Opened opened(it);
    const HistoryQuery query{.reverse = reverse};
    HistoryReader reader(query);
    assert_false(opened.read_on(reader, it, ref));
    it.publish_numbers("news", 2001, 2001, {.count = 300});
    assert_int_equal(it.page("news").publications.size(), 300);
    it.publish_numbers("other", 1, 2500, kMany);
    while (!opened.read_on(reader, it, ref)) {
    }
    const auto page = reader.take();
    assert_int_equal(page.top.offset, 2000);
    std::uint64_t before = reverse ? 2001 : 0;
    std::size_t holes = 0;
    for (const auto& kept : page.publications) {
      const std::uint64_t offset = kept.position.offset;
      assert_true(reverse ? offset < before : offset > before);
      holes += (reverse ? before - offset : offset - before) == 1 ? 0 : 1;
      before = offset;
      assert_true(kept.data == std::to_string(offset));
    }
    assert_int_equal(holes, reverse ? 0 : 1);
    assert_int_equal(before, reverse ? 1489 : 2000);
  }
}

void a_full_history_lets_the_oldest_of_all_go(void**) {
  Kept it;
  const std::string data(1000, 'x');
  (void)it.publish("first", data, kMany);
  (void)it.publish("second", data, kMany);
  const auto epoch = it.epoch("first");
  while (it.zone.stats().history_evictions == 0) {
    assert_true(it.publish("news", data, kMany).ok());
    const auto stats = it.zone.stats();
    assert_true(stats.history_used <= stats.history_size);
  }
  assert_string_equal(it.read("first").c_str(), "");
  assert_int_equal(it.epoch("first"), epoch);
  assert_int_equal(it.page("second").publications.size(), 1);
  (void)it.publish("news", data, kMany);
  assert_string_equal(it.read("second").c_str(), "");
  assert_int_equal(it.zone.stats().history_evictions, 2);
  it.assert_sound();
}

void a_rule_may_refuse_instead(void**) {
  Kept it;
  const std::string data(1000, 'x');
  while (it.publish("news", data, kNotEvicting).ok()) {
  }
  const auto refused = it.publish("news", data, kNotEvicting);
  assert_true(refused.error().code == ErrorCode::zone_full);
  const auto top = it.zone.position("news").value();
  const auto page = it.page("news");
  assert_int_equal(page.publications.size(), top.offset);
  assert_true(is_complete(page, {top.epoch, 0}));
  assert_int_equal(it.zone.stats().history_evictions, 0);
  // What isn't kept, or takes the place of the channel's own, goes on.
  assert_true(it.publish("news", data, {.evict = false}).ok());
  const Retention same{.count = static_cast<std::uint32_t>(top.offset),
                       .evict = false};
  assert_true(it.publish("news", data, same).ok());
  assert_true(it.publish("other", data, same).error().code ==
              ErrorCode::zone_full);
  assert_int_equal(it.zone.stats().history_evictions, 0);
  it.assert_sound();
}

void what_is_over_its_age_makes_room_where_nothing_else_may(void**) {
  Kept it;
  const std::string data(1000, 'x');
  const Retention keep{.count = 1000, .age_ms = 1000, .evict = false};
  while (it.publish("news", data, keep).ok()) {
  }
  it.clock.now += 1000;
  assert_true(it.publish("other", data, keep).ok());
  assert_int_equal(it.zone.stats().history_evictions, 0);
}

void a_large_message_takes_the_room_of_many_small_ones(void**) {
  Options options = small_options();
  options.log_size = 1 << 20;
  Kept it(options, 2 << 20);
  while (it.zone.stats().history_evictions == 0) {
    assert_true(it.publish("small", "x", kMany).ok());
  }
  const std::string data(200'000, 'y');
  assert_true(it.publish("large", data, kMany).ok());
  assert_true(it.page("large").publications[0].data == data);
  assert_true(it.zone.stats().history_evictions > 1000);
  it.assert_sound();
}

void one_larger_than_all_history_is_too_large(void**) {
  Options options = small_options();
  options.log_size = 1 << 20;
  options.history_size = 100'000;
  Kept it(options);
  assert_int_equal(it.zone.stats().history_size, 100'000);
  const std::string data(100'000, 'x');
  assert_true(it.publish("news", data, kTen).error().code ==
              ErrorCode::too_large);
  assert_true(it.publish("news", data, {}).ok());
  const std::string extra(Draft::kMaxExtra + 1, 'x');
  assert_true(it.publish({.channel = "news", .extra = extra}).error().code ==
              ErrorCode::too_large);
}

/// Channels with history that nobody listens to, until there is no room.
void fill_with_idle_channels(Kept& it, const Retention& keep) {
  for (int i = 0; it.zone.stats().arena_free > 0; i++) {
    assert_true(it.publish("c" + std::to_string(i), "x", keep).ok());
  }
}

void history_makes_room_for_channels(void**) {
  Kept it;
  fill_with_idle_channels(it, kTen);
  for (int i = 0; i < 2000; i++) {
    assert_true(it.zone.subscribe(it.reader, "new" + std::to_string(i)).ok());
  }
  assert_true(it.zone.stats().history_evictions > 0);
  it.assert_sound();
}

void history_that_may_not_go_makes_no_room(void**) {
  Kept it;
  fill_with_idle_channels(it, {.count = 10, .evict = false});
  Result<Subscription> last = it.zone.subscribe(it.reader, "new");
  for (int i = 0; last.ok(); i++) {
    last = it.zone.subscribe(it.reader, "new" + std::to_string(i));
  }
  assert_true(last.error().code == ErrorCode::too_many_channels);
  assert_int_equal(it.zone.stats().history_evictions, 0);
  // It does for whose own rule says so.
  assert_true(it.publish("another", "x", kTen).ok());
  assert_true(it.zone.stats().history_evictions > 0);
  it.assert_sound();
}

// The only channel that could be evicted is the one that needs the room.
void a_channel_makes_no_room_for_itself(void**) {
  Kept it;
  const auto idle = it.zone.subscribe(it.reader, "idle").value();
  for (int i = 0; it.zone.subscribe(it.reader, std::to_string(i)).ok(); i++) {
  }
  assert_true(it.zone.unsubscribe(it.reader, idle.ref).ok());
  assert_true(it.zone.position("idle").ok());
  const std::string data(3000, 'x');
  // Each looks at a part of the channels only.
  for (int i = 0; i < 10; i++) {
    const auto refused = it.publish("idle", data, kTen);
    assert_true(refused.error().code == ErrorCode::zone_full);
  }
  assert_true(it.zone.position("idle").value() == idle.top);
  it.assert_sound();
}

void a_channel_that_remembers_outlives_idle_ones(void**) {
  Kept it;
  it.publish_numbers("news", 1, 1, kTen);
  const std::uint64_t epoch = it.epoch("news");
  for (int i = 0; it.zone.stats().evictions < 5000; i++) {
    assert_true(it.publish("c" + std::to_string(i), "", {}).ok());
  }
  assert_int_equal(it.epoch("news"), epoch);
  assert_string_equal(it.read("news").c_str(), "1=1;");
  // Once it remembers nothing it is one of them.
  assert_true(it.zone.remove_history("news").ok());
  for (int i = 0; it.zone.stats().evictions < 12'000; i++) {
    assert_true(it.publish("d" + std::to_string(i), "", {}).ok());
  }
  assert_true(it.zone.position("news").error().code == ErrorCode::not_found);
  it.assert_sound();
}

void the_sweep_frees_what_is_over_its_age(void**) {
  Kept it;
  const Retention old{.count = 10, .age_ms = 1'000'000};
  const Retention young{.count = 10, .age_ms = 1000};
  it.publish_numbers("old", 1, 1, old);  // the oldest of all stays
  for (int i = 0; i < 300; i++) {
    it.publish_numbers("young" + std::to_string(i), 1, 2, young);
  }
  it.clock.now += 2000;
  for (int i = 0; i < 100; i++) {
    it.clock.now += 1000;
    it.zone.sweep();
  }
  assert_int_equal(it.zone.stats().history_messages, 1);
  it.assert_sound();
  it.clock.now += 1'000'000;
  it.zone.sweep();
  assert_int_equal(it.zone.stats().history_messages, 0);
  it.assert_sound();
}

void a_sweep_is_bounded_and_once_a_second(void**) {
  Kept it(small_options(), 4 << 20);
  it.publish_numbers("news", 1, 5000, {.count = 10'000, .age_ms = 1000});
  it.clock.now += 5000;
  it.zone.sweep();
  const auto once = it.zone.stats().history_messages;
  assert_true(once < 5000 && once > 0);
  it.zone.sweep();
  assert_int_equal(it.zone.stats().history_messages, once);
  it.clock.now += 1000;
  it.zone.sweep();
  assert_true(it.zone.stats().history_messages < once);
}

void history_outlives_its_worker(void**) {
  Kept it;
  assert_int_equal(wait_for(spawn([&it] {
                     (void)it.zone.claim_seat();
                     (void)it.publish("news", "a", kTen);
                     raise(SIGKILL);
                   })),
                   SIGKILL);
  (void)it.zone.reap_dead_seats();
  assert_string_equal(it.read("news").c_str(), "1=a;");
}

void a_channel_may_be_full_of_subscribers(void**) {
  TestZone it;
  const SeatIndex one = it.claim();
  const SeatIndex two = it.claim();
  const auto ref = it.zone.subscribe(one, "news", 2)->ref;
  assert_true(it.zone.subscribe(two, "news", 2).ok());
  for (const SeatIndex seat : {one, two}) {
    assert_true(it.zone.subscribe(seat, "news", 2).error().code ==
                ErrorCode::channel_full);
  }
  assert_true(it.zone.subscribe(one, "other", 2).ok());
  assert_true(it.zone.unsubscribe(one, ref).ok());
  assert_true(it.zone.subscribe(two, "news", 2).ok());
  assert_true(it.zone.subscribe(two, "news", 0).ok());
  it.release(two);
  assert_true(it.zone.subscribe(one, "news", 1).ok());
}

}  // namespace
}  // namespace paperboy::broker::shm

int main() {
  using namespace paperboy::broker::shm;
  const CMUnitTest tests[] = {
      cmocka_unit_test(as_many_as_the_rule_says_are_kept),
      cmocka_unit_test(a_publication_comes_back_as_it_was),
      cmocka_unit_test(long_messages_come_back_whole),
      cmocka_unit_test(a_rule_limits_the_bytes_in_all),
      cmocka_unit_test(what_is_over_its_age_is_not_shown),
      cmocka_unit_test(one_that_keeps_nothing_leaves_what_is_kept),
      cmocka_unit_test(events_are_told_and_not_kept),
      cmocka_unit_test(queries_choose_from_both_ends),
      cmocka_unit_test(there_may_be_no_channel_or_no_history),
      cmocka_unit_test(history_is_forgotten_and_offsets_go_on),
      cmocka_unit_test(large_histories_are_read_from_anywhere),
      cmocka_unit_test(what_goes_amid_a_reading_is_a_hole),
      cmocka_unit_test(a_full_history_lets_the_oldest_of_all_go),
      cmocka_unit_test(a_rule_may_refuse_instead),
      cmocka_unit_test(what_is_over_its_age_makes_room_where_nothing_else_may),
      cmocka_unit_test(a_large_message_takes_the_room_of_many_small_ones),
      cmocka_unit_test(one_larger_than_all_history_is_too_large),
      cmocka_unit_test(history_makes_room_for_channels),
      cmocka_unit_test(history_that_may_not_go_makes_no_room),
      cmocka_unit_test(a_channel_makes_no_room_for_itself),
      cmocka_unit_test(a_channel_that_remembers_outlives_idle_ones),
      cmocka_unit_test(the_sweep_frees_what_is_over_its_age),
      cmocka_unit_test(a_sweep_is_bounded_and_once_a_second),
      cmocka_unit_test(history_outlives_its_worker),
      cmocka_unit_test(a_channel_may_be_full_of_subscribers),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
