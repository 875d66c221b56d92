// That the checker sees what it is there to see: each broken promise once, and
// none where all were kept.
#include "test.hpp"
#include "witness.hpp"

namespace {

using namespace paperboy::fault;

constexpr std::uint64_t kEpoch = 0xa1;
constexpr std::uint64_t kOther = 0xb2;

/// A channel, two publishers and one subscriber, which begins at offset 0.
struct World {
  Tally tally{nullptr};
  Ledger ledger{2, 1, tally};
  Witness witness{"one", 0, ledger, tally};

  World() { witness.begins({kEpoch, 0}); }

  Stamp sent(std::uint32_t publisher) {
    Stamp stamp{publisher, 0, ledger.next(publisher, 0), 0};
    stamp.hash = hash_of(stamped(stamp, 80));
    ledger.publish(stamp);
    return stamp;
  }
  /// Acknowledged at this offset.
  Stamp published(std::uint32_t publisher, std::uint64_t offset,
                  std::uint64_t epoch = kEpoch) {
    const Stamp stamp = sent(publisher);
    ledger.acknowledge(stamp, {epoch, offset});
    return stamp;
  }
  void gets(const Stamp& stamp, std::uint64_t offset,
            std::uint64_t epoch = kEpoch) {
    witness.receives(stamp, {epoch, offset});
  }
  void ends(std::uint64_t offset, std::uint64_t epoch = kEpoch) {
    witness.ends({epoch, offset});
  }

  void expect(std::uint64_t untold, std::uint64_t duplicates,
              std::uint64_t reorders, std::uint64_t contradictions) const {
    assert_int_equal(tally.counts.untold, untold);
    assert_int_equal(tally.counts.duplicates, duplicates);
    assert_int_equal(tally.counts.reorders, reorders);
    assert_int_equal(tally.counts.contradictions, contradictions);
  }
};

void messages_say_who_published_them(void**) {
  const Stamp stamp{3, 2, 4711, 0};
  const std::string text = stamped(stamp, 100);
  assert_int_equal(text.size(), 100);
  const Stamp read = read_stamp(text);
  assert_int_equal(read.publisher, 3);
  assert_int_equal(read.channel, 2);
  assert_int_equal(read.number, 4711);
  assert_true(read.hash == hash_of(text));
  assert_int_equal(read_stamp("{\"p\":1}").number, 0);
  std::string other = text;
  other[60]++;
  assert_false(read_stamp(other).hash == read.hash);
}

void positions_are_read(void**) {
  assert_true((parse_place("a1:7") == Place{kEpoch, 7}));
  assert_true((parse_place("a1") == Place{}));
  assert_true((parse_place("a1:7x") == Place{}));
  assert_string_equal(place_text({kEpoch, 7}).c_str(), "a1:7");
}

void all_in_order_is_no_complaint(void**) {
  World world;
  for (std::uint64_t offset = 1; offset <= 50; ++offset) {
    world.gets(world.published(offset % 2, offset), offset);
  }
  world.ends(50);
  world.expect(0, 0, 0, 0);
  assert_int_equal(world.tally.counts.deliveries, 50);
}

void a_delivery_before_its_answer_is_fine(void**) {
  World world;
  const Stamp stamp = world.sent(0);
  world.gets(stamp, 1);
  world.ledger.acknowledge(stamp, {kEpoch, 1});
  world.ends(1);
  world.expect(0, 0, 0, 0);
}

void a_duplicate_is_seen(void**) {
  World world;
  const Stamp first = world.published(0, 1);
  world.gets(first, 1);
  world.gets(first, 1);
  world.gets(world.published(1, 2), 2);
  world.gets(first, 1);
  world.expect(0, 2, 0, 0);
}

void a_duplicate_at_another_offset_is_seen(void**) {
  World world;
  const Stamp first = world.published(0, 1);
  world.gets(first, 1);
  world.gets(first, 2);
  world.expect(0, 1, 0, 1);
}

void a_swap_is_a_reorder(void**) {
  World world;
  const Stamp first = world.published(0, 1);
  const Stamp second = world.published(0, 2);
  world.gets(second, 2);
  world.gets(first, 1);
  world.gets(world.published(0, 3), 3);
  world.ends(3);
  world.expect(0, 0, 1, 0);
}

void a_swap_of_offsets_is_seen_by_the_numbers(void**) {
  World world;
  world.gets(world.published(0, 1), 1);
  const Stamp earlier = world.published(0, 3);
  const Stamp later = world.published(0, 2);
  world.gets(later, 2);
  world.gets(earlier, 3);
  assert_true(world.tally.counts.reorders + world.tally.counts.duplicates > 0);
}

void a_hole_that_is_not_told_is_seen(void**) {
  World world;
  world.gets(world.published(0, 1), 1);
  (void)world.published(0, 2);
  (void)world.published(1, 3);
  world.gets(world.published(0, 4), 4);
  world.ends(4);
  world.expect(2, 0, 0, 0);
}

void a_hole_that_is_told_is_fine(void**) {
  World world;
  world.gets(world.published(0, 1), 1);
  (void)world.published(0, 2);
  (void)world.published(1, 3);
  world.witness.told({kEpoch, 3});
  world.gets(world.published(0, 4), 4);
  world.ends(4);
  world.expect(0, 0, 0, 0);
  assert_int_equal(world.tally.counts.told, 1);
}

void a_hole_that_is_told_covers_no_more(void**) {
  World world;
  world.gets(world.published(0, 1), 1);
  (void)world.published(0, 2);
  world.witness.told({kEpoch, 2});
  (void)world.published(0, 3);
  world.gets(world.published(0, 4), 4);
  world.expect(1, 0, 0, 0);
}

void a_hole_told_without_a_place_ends_with_what_comes(void**) {
  World world;
  (void)world.published(0, 1);
  world.witness.told();
  world.gets(world.published(0, 2), 2);
  (void)world.published(0, 3);
  world.gets(world.published(0, 4), 4);
  world.expect(1, 0, 0, 0);
}

void what_is_older_than_a_told_hole_is_a_reorder(void**) {
  World world;
  const Stamp first = world.published(0, 1);
  world.witness.told({kEpoch, 1});
  world.gets(world.published(1, 2), 2);
  world.gets(first, 1);
  world.expect(0, 0, 1, 0);
}

void a_missing_end_is_seen(void**) {
  World world;
  world.gets(world.published(0, 1), 1);
  (void)world.published(0, 2);
  (void)world.published(0, 3);
  world.ends(3);
  world.expect(2, 0, 0, 0);
}

void recovery_has_to_bring_all(void**) {
  World world;
  world.gets(world.published(0, 1), 1);
  const Stamp missed = world.published(0, 2);
  (void)world.published(0, 3);
  world.gets(missed, 2);
  world.witness.recovered({kEpoch, 3});
  world.expect(1, 0, 0, 0);
  world.gets(world.published(0, 4), 4);
  world.ends(4);
  world.expect(1, 0, 0, 0);
}

void recovery_into_another_epoch_is_a_hole(void**) {
  World world;
  world.gets(world.published(0, 1), 1);
  world.witness.recovered({kOther, 1});
  world.expect(1, 0, 0, 0);
}

void an_epoch_that_changes_untold_is_seen(void**) {
  World world;
  world.gets(world.published(0, 1), 1);
  world.gets(world.published(0, 1, kOther), 1, kOther);
  world.ends(1, kOther);
  world.expect(1, 0, 0, 0);
}

void an_end_in_another_epoch_is_seen(void**) {
  World world;
  world.gets(world.published(0, 1), 1);
  world.ends(1, kOther);
  world.expect(1, 0, 0, 0);
}

/// Acknowledged, and given an offset that another message got.
void an_acknowledged_message_without_an_offset_is_seen(void**) {
  World world;
  world.gets(world.published(0, 1), 1);
  (void)world.published(0, 2);
  const Stamp third = world.sent(0);
  world.gets(third, 2);
  world.ledger.acknowledge(third, {kEpoch, 2});
  assert_true(world.tally.counts.contradictions > 0);
  assert_int_equal(world.tally.counts.untold, 1);
}

void what_is_refused_leaves_no_hole(void**) {
  World world;
  world.gets(world.published(0, 1), 1);
  world.ledger.refuse(world.sent(0));
  world.gets(world.published(0, 2), 2);
  world.ends(2);
  world.expect(0, 0, 0, 0);
}

void what_is_refused_may_not_come(void**) {
  World world;
  const Stamp before = world.sent(0);
  world.ledger.refuse(before);
  world.gets(before, 1);
  const Stamp after = world.sent(0);
  world.gets(after, 2);
  world.ledger.refuse(after);
  world.expect(0, 0, 0, 2);
}

void what_is_unknown_may_come_or_not(void**) {
  World world;
  world.gets(world.published(0, 1), 1);
  const Stamp comes = world.sent(0);
  world.ledger.lose(comes);
  world.gets(comes, 2);
  world.ledger.lose(world.sent(0));
  world.gets(world.published(0, 3), 3);
  world.ends(3);
  world.expect(0, 0, 0, 0);
}

void other_bytes_are_a_contradiction(void**) {
  World world;
  Stamp stamp = world.published(0, 1);
  stamp.hash ^= 1;
  world.gets(stamp, 1);
  world.gets({0, 0, 7, 0}, 2);
  world.expect(0, 0, 0, 2);
}

void two_messages_at_one_position_are_a_contradiction(void**) {
  World world;
  world.gets(world.published(0, 1), 1);
  (void)world.published(1, 1);
  world.expect(0, 0, 0, 1);
}

void one_message_at_two_positions_is_a_contradiction(void**) {
  World world;
  const Stamp stamp = world.sent(0);
  world.gets(stamp, 1);
  world.ledger.acknowledge(stamp, {kEpoch, 2});
  world.expect(0, 0, 0, 1);
}

/// Sent again with its key, after the zone that knew the key has gone.
void a_repeated_message_may_stand_in_two_epochs(void**) {
  World world;
  const Stamp stamp = world.sent(0);
  world.gets(stamp, 1);
  world.ledger.repeat(stamp);
  world.ledger.acknowledge(stamp, {kOther, 1});
  world.witness.told({kOther, 0});
  world.gets(stamp, 1, kOther);
  world.ends(1, kOther);
  world.expect(0, 0, 0, 0);
}

void a_place_that_is_told_has_to_be_right(void**) {
  World world;
  world.gets(world.published(0, 1), 1);
  world.witness.stands({kEpoch, 1});
  world.expect(0, 0, 0, 0);
  world.witness.stands({kEpoch, 3});
  world.expect(2, 0, 0, 0);
  world.witness.stands({kEpoch, 1});
  world.expect(2, 0, 0, 1);
}

/// Two messages at one offset, and then another epoch, which is told.
void a_fork_that_is_told_is_fine(void**) {
  World world;
  world.ledger.allow_forks();
  world.gets(world.published(0, 1), 1);
  (void)world.published(1, 1);
  world.witness.told({kOther, 0});
  world.gets(world.published(0, 1, kOther), 1, kOther);
  world.ends(1, kOther);
  world.ledger.settle({{kOther, 1}});
  world.expect(0, 0, 0, 0);
  assert_int_equal(world.tally.counts.forks, 1);
}

void a_fork_that_goes_on_is_a_contradiction(void**) {
  World world;
  world.ledger.allow_forks();
  world.gets(world.published(0, 1), 1);
  (void)world.published(1, 1);
  world.gets(world.published(0, 2), 2);
  world.ends(2);
  world.ledger.settle({{kEpoch, 2}});
  world.expect(0, 0, 0, 1);
}

/// Redis came back with less, as the first thing that is heard of it.
void a_step_back_that_is_told_is_a_fork(void**) {
  World world;
  world.ledger.allow_forks();
  world.gets(world.published(0, 1), 1);
  world.gets(world.published(0, 2), 2);
  world.witness.told({kEpoch, 1});
  world.ledger.settle({{kEpoch, 1}});
  world.expect(0, 0, 0, 1);
  world.witness.told({kOther, 0});
  world.gets(world.published(0, 1, kOther), 1, kOther);
  world.witness.told({kOther, 0});
  world.ledger.settle({{kEpoch, 1}});
  world.expect(0, 0, 0, 1);
}

void a_fork_has_to_be_told(void**) {
  World world;
  world.ledger.allow_forks();
  world.gets(world.published(0, 1), 1);
  (void)world.published(1, 1);
  world.gets(world.published(0, 1, kOther), 1, kOther);
  world.ledger.settle({{kOther, 1}});
  world.expect(1, 0, 0, 0);
}

void without_a_fork_all_complaints_stand(void**) {
  World world;
  world.ledger.allow_forks();
  world.gets(world.published(0, 1), 1);
  const Stamp earlier = world.published(0, 3);
  const Stamp later = world.published(0, 2);
  world.gets(later, 2);
  world.gets(earlier, 3);
  world.witness.told({kOther, 0});
  world.ledger.settle({{kOther, 0}});
  assert_true(world.tally.counts.reorders + world.tally.counts.duplicates > 0);
}

void the_newest_position_is_of_the_newest_epoch(void**) {
  World world;
  (void)world.published(0, 2);
  (void)world.published(1, 1);
  assert_true((world.ledger.newest(0) == Place{kEpoch, 2}));
  (void)world.published(0, 1, kOther);
  (void)world.published(1, 3);
  assert_true((world.ledger.newest(0) == Place{kOther, 1}));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(messages_say_who_published_them),
      cmocka_unit_test(positions_are_read),
      cmocka_unit_test(all_in_order_is_no_complaint),
      cmocka_unit_test(a_delivery_before_its_answer_is_fine),
      cmocka_unit_test(a_duplicate_is_seen),
      cmocka_unit_test(a_duplicate_at_another_offset_is_seen),
      cmocka_unit_test(a_swap_is_a_reorder),
      cmocka_unit_test(a_swap_of_offsets_is_seen_by_the_numbers),
      cmocka_unit_test(a_hole_that_is_not_told_is_seen),
      cmocka_unit_test(a_hole_that_is_told_is_fine),
      cmocka_unit_test(a_hole_that_is_told_covers_no_more),
      cmocka_unit_test(a_hole_told_without_a_place_ends_with_what_comes),
      cmocka_unit_test(what_is_older_than_a_told_hole_is_a_reorder),
      cmocka_unit_test(a_missing_end_is_seen),
      cmocka_unit_test(recovery_has_to_bring_all),
      cmocka_unit_test(recovery_into_another_epoch_is_a_hole),
      cmocka_unit_test(an_epoch_that_changes_untold_is_seen),
      cmocka_unit_test(an_end_in_another_epoch_is_seen),
      cmocka_unit_test(an_acknowledged_message_without_an_offset_is_seen),
      cmocka_unit_test(what_is_refused_leaves_no_hole),
      cmocka_unit_test(what_is_refused_may_not_come),
      cmocka_unit_test(what_is_unknown_may_come_or_not),
      cmocka_unit_test(other_bytes_are_a_contradiction),
      cmocka_unit_test(two_messages_at_one_position_are_a_contradiction),
      cmocka_unit_test(one_message_at_two_positions_is_a_contradiction),
      cmocka_unit_test(a_repeated_message_may_stand_in_two_epochs),
      cmocka_unit_test(a_place_that_is_told_has_to_be_right),
      cmocka_unit_test(a_fork_that_is_told_is_fine),
      cmocka_unit_test(a_fork_that_goes_on_is_a_contradiction),
      cmocka_unit_test(a_step_back_that_is_told_is_a_fork),
      cmocka_unit_test(a_fork_has_to_be_told),
      cmocka_unit_test(without_a_fork_all_complaints_stand),
      cmocka_unit_test(the_newest_position_is_of_the_newest_epoch),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
