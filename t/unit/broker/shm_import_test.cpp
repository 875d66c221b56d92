// Publications that were made elsewhere come into a zone: in order, once, at
// their own positions.
#include "broker/shm_elsewhere.hpp"
#include "broker/shm_layout.hpp"

namespace paperboy::broker::shm {
namespace {

Result<Import> event(Elsewhere& it, Event event, std::uint64_t offset,
                     std::uint64_t epoch = kEpoch) {
  return it.zone.import({.channel = "news", .event = event, .data = "x"},
                        {epoch, offset});
}

void the_next_one_is_appended(void**) {
  Elsewhere it;
  assert_true(it.anchor(7).ok());
  assert_true(it.import(8) == Import::appended);
  assert_true(it.import(9) == Import::appended);
  assert_int_equal(it.drain().lines.size(), 2);
  assert_text(it.notes.lines.at(1), "news/9=m9");
  assert_true(it.notes.positions.at(0) == (Position{kEpoch, 8}));
  assert_true(it.notes.refs.at(0) == it.ref);
  assert_text(kept(it.zone), "8 9 of 9");
  it.assert_sound();
}

void what_was_there_or_comes_too_early_is_not(void**) {
  Elsewhere it;
  assert_true(it.anchor(7).ok());
  assert_true(it.import(7) == Import::old);
  assert_true(it.import(1) == Import::old);
  assert_true(it.import(9) == Import::hole);
  assert_true(it.import(8) == Import::appended);
  assert_true(it.import(8) == Import::old);
  assert_int_equal(it.drain().lines.size(), 1);
  assert_true(it.zone.position("news").value() == (Position{kEpoch, 8}));
}

void another_epoch_is_foreign(void**) {
  Elsewhere it;
  assert_true(it.import(1) == Import::foreign);
  assert_true(it.zone.import({.channel = "news"}, {}).value() ==
              Import::foreign);
  assert_true(it.anchor(0, {}, kThousands, 78).ok());
  assert_true(it.import(1) == Import::foreign);
  assert_true(it.zone.import({.channel = "news"}, {}).value() ==
              Import::foreign);
  // The zone's own too.
  (void)it.zone.subscribe(it.reader, "local");
  assert_true(it.zone.import({.channel = "local"}, {kEpoch, 1}).value() ==
              Import::foreign);
  assert_int_equal(it.drain().lines.size(), 0);
}

void events_come_where_their_message_is(void**) {
  Elsewhere it;
  assert_true(event(it, Event::join, 0).value() == Import::foreign);
  assert_true(it.anchor(7).ok());
  assert_true(event(it, Event::join, 7).value() == Import::appended);
  assert_true(event(it, Event::leave, 3).value() == Import::appended);
  assert_true(event(it, Event::passing, 8).value() == Import::hole);
  assert_true(event(it, Event::passing, 7, 78).value() == Import::foreign);
  assert_int_equal(it.drain().events.size(), 3);
  assert_text(it.notes.events.at(1), "news/+x");
  assert_text(it.notes.events.at(2), "news/-x");
  assert_true(it.zone.position("news").value() == (Position{kEpoch, 7}));
  assert_text(kept(it.zone), "of 7");
  it.assert_sound();
}

void what_cant_be_is_refused(void**) {
  Elsewhere it;
  assert_true(it.anchor(0).ok());
  const auto code = [&](const Draft& draft) {
    return it.zone.import(draft, {kEpoch, 1}).error().code;
  };
  assert_true(code({.channel = "none"}) == ErrorCode::not_found);
  assert_true(code({.channel = ""}) == ErrorCode::channel_name);
  const std::string large(20'000, 'x');
  assert_true(code({.channel = "news", .data = large}) == ErrorCode::too_large);
  assert_int_equal(it.zone.channel_count(), 1);
}

void a_full_log_refuses_it(void**) {
  Elsewhere it;
  assert_true(it.anchor(0).ok());
  const std::string data(8'000, 'x');
  std::uint64_t offset = 1;
  Result<Import> done = Import::old;
  while ((done = it.zone.import({.channel = "news", .data = data},
                                {kEpoch, offset}))
             .ok()) {
    offset++;
  }
  assert_true(done.error().code == ErrorCode::log_full);
  assert_true(it.zone.position("news").value() ==
              (Position{kEpoch, offset - 1}));
  it.drain();
  assert_true(it.import(offset) == Import::appended);
}

void the_rule_is_its_own(void**) {
  Elsewhere it;
  assert_true(it.anchor(3, window(1, 3)).ok());
  assert_true(it.import(4, {.count = 2}) == Import::appended);
  assert_text(kept(it.zone), "3 4 of 4");
  assert_true(it.import(5, {}) == Import::appended);
  assert_text(kept(it.zone), "3 4 of 5");
  assert_true(it.import(6, {.count = 5, .age_ms = 1000}) == Import::appended);
  it.clock.now += 5000;
  it.zone.sweep();
  assert_text(kept(it.zone), "of 6");
  it.assert_sound();
}

void its_key_means_nothing(void**) {
  Elsewhere it;
  assert_true(it.anchor(0).ok());
  const Draft draft{.channel = "news", .data = "m", .idempotency_key = "key"};
  assert_true(it.zone.import(draft, {kEpoch, 1}).value() == Import::appended);
  assert_true(it.zone.import(draft, {kEpoch, 2}).value() == Import::appended);
  assert_int_equal(it.zone.stats().keys, 0);
}

void it_is_never_refused_for_want_of_room(void**) {
  Options options = small_options();
  options.history_size = 32UL * 1024;
  Elsewhere it(options);
  const Retention keep{.count = 10'000, .evict = false};
  while (
      it.zone.publish({.channel = "other", .data = "x", .keep = keep}).ok()) {
    Notes notes;
    (void)it.zone.drain(it.reader, {}, notes);
  }
  assert_true(it.anchor(0).ok());
  for (std::uint64_t i = 1; i <= 50; i++) {
    assert_true(it.import(i, keep) == Import::appended);
    it.drain();
  }
  assert_int_equal(it.zone.history("news", {})->publications.size(), 50);
  it.assert_sound();
}

void what_is_too_large_to_be_kept_comes_all_the_same(void**) {
  Options options = small_options();
  options.history_size = 4096;
  Elsewhere it(options);
  assert_true(it.anchor(1, window(1, 1)).ok());
  const std::string large = made(2) + std::string(15'000, 'x');
  assert_true(
      it.zone
          .import({.channel = "news", .data = large, .keep = kThousands},
                  {kEpoch, 2})
          .value() == Import::appended);
  assert_true(it.import(3) == Import::appended);
  assert_int_equal(it.drain().lines.size(), 2);
  assert_text(kept(it.zone), "1 3 of 3");
  it.assert_sound();
}

// The arena is full of channels that may not go.
void where_nothing_can_be_kept_it_comes_all_the_same(void**) {
  Elsewhere it;
  assert_true(it.anchor(0).ok());
  for (const std::size_t size : {900, 100, 1}) {
    for (int i = 0;; i++) {
      const std::string name = std::string(size, 'f') + "/" + std::to_string(i);
      if (!it.zone.subscribe(it.reader, name, 0, Anchor::later)) break;
    }
  }
  const std::string data(3000, 'x');
  assert_true(it.zone
                  .import({.channel = "news", .data = data, .keep = kThousands},
                          {kEpoch, 1})
                  .value() == Import::appended);
  const auto recent = window(1, 2, 3000);
  assert_true(it.anchor(2, recent).ok());
  assert_true(it.import(3, {}) == Import::appended);
  assert_text(kept(it.zone), "of 3");
  it.assert_sound();
}

}  // namespace
}  // namespace paperboy::broker::shm

int main() {
  using namespace paperboy::broker::shm;
  const CMUnitTest tests[] = {
      cmocka_unit_test(the_next_one_is_appended),
      cmocka_unit_test(what_was_there_or_comes_too_early_is_not),
      cmocka_unit_test(another_epoch_is_foreign),
      cmocka_unit_test(events_come_where_their_message_is),
      cmocka_unit_test(what_cant_be_is_refused),
      cmocka_unit_test(a_full_log_refuses_it),
      cmocka_unit_test(the_rule_is_its_own),
      cmocka_unit_test(its_key_means_nothing),
      cmocka_unit_test(it_is_never_refused_for_want_of_room),
      cmocka_unit_test(what_is_too_large_to_be_kept_comes_all_the_same),
      cmocka_unit_test(where_nothing_can_be_kept_it_comes_all_the_same),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
