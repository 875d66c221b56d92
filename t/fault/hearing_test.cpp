// That the checker sees what goes wrong with clients that are told no
// positions: each broken promise once, and none where all were kept.
#include "hearing_world.hpp"

namespace {

using namespace paperboy::fault;

void all_in_order_is_no_complaint(void**) {
  World world;
  world.gets_all(1, 50);
  for (int i = 0; i < 50; ++i) world.user.receives(world.said());
  world.here.finish({kEpoch, 50});
  world.user.finish({Ledger::kUserEpoch, 50});
  world.expect(0, 0, 0, 0);
  assert_int_equal(world.tally.counts.deliveries, 100);
}

void a_message_waits_until_its_place_is_known(void**) {
  World world;
  const Stamp second = world.sent(0);
  const Stamp first = world.sent(1);
  world.gets(first);
  world.gets(second);
  assert_true(world.here.place() == Place{});
  world.ledger.acknowledge(second, {kEpoch, 2});
  world.here.settle();
  assert_true(world.here.place() == Place{});
  world.ledger.acknowledge(first, {kEpoch, 1});
  world.here.settle();
  assert_true((world.here.place() == Place{kEpoch, 2}));
  world.expect(0, 0, 0, 0);
}

void a_message_that_is_dropped_is_seen(void**) {
  World world;
  world.gets_all(1, 3);
  world.miss(4, 4);
  world.gets_all(5, 9);
  world.here.finish({kEpoch, 9});
  world.expect(1, 0, 0, 0);
}

void the_first_that_is_dropped_is_seen(void**) {
  World world;
  world.miss(1, 1);
  world.gets_all(2, 9);
  world.here.finish({kEpoch, 9});
  world.expect(1, 0, 0, 0);
}

void the_last_that_is_dropped_is_seen(void**) {
  World world;
  world.gets_all(1, 3);
  world.miss(4, 5);
  world.here.finish({kEpoch, 5});
  world.expect(2, 0, 0, 0);
}

void one_that_gets_nothing_is_seen(void**) {
  World world;
  world.miss(1, 5);
  world.here.finish({kEpoch, 5});
  assert_true(world.tally.counts.untold > 0);
}

/// What was under way when it was let in may come or not.
void what_came_before_it_was_let_in_may_be_missing(void**) {
  World world;
  world.here.ends();
  world.miss(1, 3);
  const Stamp comes = world.published(4);
  const Stamp misses = world.published(5);
  world.here.begins(true);
  world.gets(comes);
  (void)misses;
  world.gets_all(6, 9);
  world.here.finish({kEpoch, 9});
  world.expect(0, 0, 0, 0);
}

/// Such is told by nothing but what comes.
void where_nobody_says_so_it_begins_with_the_first(void**) {
  World world;
  world.returns(false, false);
  world.miss(1, 3);
  world.gets_all(4, 5);
  world.miss(6, 6);
  world.gets_all(7, 7);
  world.here.finish({kEpoch, 7});
  world.expect(1, 0, 0, 0);
}

void a_message_that_is_doubled_is_seen(void**) {
  World world;
  world.gets_all(1, 3);
  const Stamp fourth = world.published(4);
  world.gets(fourth);
  world.gets(fourth);
  world.gets_all(5, 6);
  world.here.finish({kEpoch, 6});
  world.expect(0, 1, 0, 0);
}

void a_message_that_comes_late_is_seen(void**) {
  World world;
  const Stamp first = world.published(1);
  const Stamp second = world.published(2);
  world.gets(second);
  world.gets(first);
  world.gets_all(3, 4);
  const Stamp fifth = world.published(5);
  const Stamp sixth = world.published(6);
  world.gets(sixth);
  world.gets(fifth);
  world.gets_all(7, 8);
  world.here.finish({kEpoch, 8});
  world.expect(0, 0, 2, 0);
}

void what_comes_before_it_is_let_in_is_seen(void**) {
  World world;
  world.here.ends();
  world.gets(world.published(1));
  world.expect(0, 0, 0, 1);
  world.here.begins(true);
  world.gets_all(2, 3);
  world.here.finish({kEpoch, 3});
  world.expect(0, 0, 0, 1);
}

void what_is_said_to_another_is_seen(void**) {
  World world;
  world.gets(world.said());
  world.user.receives(world.published(1));
  world.expect(0, 0, 0, 2);
}

void what_nobody_published_is_seen(void**) {
  World world;
  Stamp stamp = world.published(1);
  stamp.hash ^= 1;
  world.gets(stamp);
  world.gets({0, 0, 77, 0});
  const Stamp refused = world.sent(0);
  world.ledger.refuse(refused);
  world.gets(refused);
  world.expect(0, 0, 0, 3);
}

void another_epoch_within_a_connection_is_seen(void**) {
  World world;
  world.gets_all(1, 3);
  world.gets(world.published(1, kOther));
  world.gets(world.published(2, kOther));
  world.here.finish({kOther, 2});
  world.expect(1, 0, 0, 0);
}

void between_two_connections_messages_may_be_missing(void**) {
  World world;
  world.gets_all(1, 3);
  world.here.ends();
  world.miss(4, 8);
  world.here.begins(true);
  world.gets_all(9, 9);
  world.here.ends();
  world.here.begins(true);
  world.gets(world.published(1, kOther));
  world.here.finish({kOther, 1});
  world.expect(0, 0, 0, 0);
  assert_int_equal(world.tally.counts.between, 5);
}

/// Another worker isn't as far.
void what_came_before_may_come_again(void**) {
  World world;
  const Stamp first = world.published(1);
  const Stamp second = world.published(2);
  world.gets(first);
  world.gets(second);
  world.returns();
  world.gets(first);
  world.gets(second);
  world.gets_all(3, 3);
  world.here.finish({kEpoch, 3});
  world.expect(0, 0, 0, 0);
  assert_int_equal(world.tally.counts.again, 2);
}

// ---- where what is missed is sent after ------------------------------------

void what_is_sent_after_has_to_be_all(void**) {
  World world(true);
  world.gets_all(1, 3);
  world.here.ends(true);
  const Stamp fourth = world.published(4);
  world.miss(5, 5);
  world.here.begins(true);
  world.gets(fourth);
  world.gets_all(6, 6);
  world.returns(true);
  world.gets_all(7, 7);
  world.here.finish({kEpoch, 7});
  world.expect(1, 0, 0, 0);
  assert_int_equal(world.tally.counts.between, 0);
}

void nothing_that_is_sent_after_is_seen(void**) {
  World world(true);
  world.gets_all(1, 3);
  world.here.ends(true);
  world.miss(4, 6);
  world.here.begins(true);
  world.gets_all(7, 7);
  world.here.finish({kEpoch, 7});
  world.expect(3, 0, 0, 0);
}

void what_is_sent_after_may_come_again(void**) {
  World world(true);
  const Stamp first = world.published(1);
  const Stamp second = world.published(2);
  world.gets(first);
  world.gets(second);
  world.returns(true);
  world.gets(first);
  world.gets(second);
  world.gets_all(3, 3);
  world.here.finish({kEpoch, 3});
  world.expect(0, 0, 0, 0);
  assert_int_equal(world.tally.counts.again, 2);
}

void nothing_is_sent_after_where_no_note_was_made(void**) {
  World world(true);
  world.gets_all(1, 3);
  world.here.ends(false);
  world.miss(4, 6);
  world.here.begins(true);
  world.gets_all(7, 7);
  world.here.ends(true);
  world.ledger.doubt(Doubt::topics, 0);
  world.ledger.doubt(Doubt::none, 0);
  world.miss(8, 9);
  world.here.begins(true);
  world.gets_all(10, 10);
  world.here.ends(true);
  world.ledger.doubt(Doubt::notes, 0);
  world.miss(11, 11);
  world.here.begins(true);
  world.gets_all(12, 12);
  world.here.finish({kEpoch, 12});
  world.expect(0, 0, 0, 0);
  assert_int_equal(world.tally.counts.between, 6);
}

/// Where it was on a connection on which nothing came is known only where it
/// went on from a place before.
void who_heard_nothing_was_somewhere(void**) {
  World world(true);
  world.gets_all(1, 3);
  world.here.ends(false);
  world.miss(4, 6);
  world.here.begins(true);
  world.returns(true);
  world.gets_all(7, 7);
  world.expect(0, 0, 0, 0);
  world.returns(true);
  world.returns(true);
  world.miss(8, 8);
  world.gets_all(9, 9);
  world.here.finish({kEpoch, 9});
  world.expect(1, 0, 0, 0);
}

// ---- users -----------------------------------------------------------------

void what_is_said_to_a_user_has_to_come(void**) {
  World world;
  world.user.receives(world.said());
  (void)world.said();
  const Stamp third = world.said();
  const Stamp fourth = world.said();
  world.user.receives(fourth);
  world.user.receives(third);
  world.user.receives(third);
  world.user.finish({Ledger::kUserEpoch, 4});
  world.expect(1, 1, 1, 0);
}

/// What was said while something was broken, or while nobody listened.
void what_is_said_in_doubt_may_be_missing(void**) {
  World world;
  world.user.receives(world.said());
  const Stamp lost = world.said(false);
  world.ledger.lose(lost);
  (void)world.said();
  world.ledger.doubt(Doubt::topics, 0);
  (void)world.said();
  world.ledger.doubt(Doubt::none, 0);
  world.user.receives(world.said());
  world.user.finish({Ledger::kUserEpoch, 5});
  world.expect(0, 0, 0, 0);
}

/// One that took it had failed, and the other was slower; but it comes once.
void what_is_said_in_doubt_may_come_late(void**) {
  World world;
  world.user.receives(world.said());
  world.ledger.doubt(Doubt::topics, 0);
  const Stamp late = world.said();
  world.ledger.doubt(Doubt::none, 0);
  world.user.receives(world.said());
  world.user.receives(late);
  world.expect(0, 0, 0, 0);
  world.user.receives(late);
  world.expect(0, 1, 0, 0);
}

/// Its key was lost, by which the second that took it would have known.
void what_is_said_in_doubt_may_be_published_twice(void**) {
  World world;
  world.ledger.doubt(Doubt::all, 0);
  const Stamp stamp = world.sent(2, Way::topic);
  world.ledger.accept(stamp);
  (void)world.ledger.claim(stamp, {kEpoch, 1});
  world.gets(stamp);
  world.gets_all(2, 2);
  (void)world.ledger.claim(stamp, {kEpoch, 3});
  world.gets(stamp);
  world.gets_all(4, 4);
  world.here.finish({kEpoch, 4});
  world.expect(0, 0, 0, 0);
}

/// A copy of what a back end said while it was let in, behind what is live.
void a_copy_of_before_may_come_late_and_once(void**) {
  World world;
  world.here.ends();
  const Stamp first = world.sent(2, Way::topic);
  const Stamp second = world.sent(2, Way::topic);
  const Stamp other = world.published(4);
  world.here.begins(true);
  (void)world.ledger.claim(first, {kEpoch, 2});
  (void)world.ledger.claim(second, {kEpoch, 3});
  world.gets(first);
  world.gets_all(5, 5);
  world.gets(second);
  world.expect(0, 0, 0, 0);
  world.gets(second);
  world.expect(0, 1, 0, 0);
  // Of one that is no back end's there are no copies.
  world.gets(other);
  world.expect(0, 2, 0, 0);
}

void so_may_one_of_what_was_said_to_its_user(void**) {
  World world;
  world.user.ends();
  const Stamp copy = world.said();
  const Stamp comes = world.said();
  world.user.begins(false);
  world.user.receives(comes);
  world.user.receives(copy);
  world.expect(0, 0, 0, 0);
  const Stamp later = world.said();
  world.user.receives(world.said());
  world.user.receives(later);
  world.expect(0, 0, 1, 0);
}

// ---- what has no position --------------------------------------------------

void what_is_accepted_and_comes_nowhere_is_lost(void**) {
  World world;
  world.ledger.accept(world.sent(2, Way::topic));
  world.ledger.accept(world.sent(2, Way::broadcast));
  const Stamp comes = world.sent(2, Way::topic);
  world.ledger.accept(comes);
  (void)world.ledger.claim(comes, {kEpoch, 1});
  world.ledger.doubt(Doubt::topics, 10);
  world.ledger.accept(world.sent(2, Way::topic), 11);
  world.ledger.accept(world.sent(2, Way::broadcast), 11);
  world.ledger.doubt(Doubt::all, 12);
  world.ledger.accept(world.sent(2, Way::broadcast), 12);
  world.ledger.settle({{kEpoch, 1}});
  assert_int_equal(world.tally.counts.lost, 2);
  assert_false(world.tally.is_clean());
}

/// It came in one epoch, and in the next once more, since keys have gone.
void what_several_nodes_take_may_stand_in_two_epochs(void**) {
  World world;
  const Stamp stamp = world.sent(2, Way::topic);
  world.ledger.accept(stamp);
  (void)world.ledger.claim(stamp, {kEpoch, 1});
  (void)world.ledger.claim(stamp, {kOther, 1});
  world.gets(stamp);
  world.gets(world.published(2));
  world.returns();
  world.gets(world.published(2, kOther));
  world.here.finish({kOther, 2});
  world.expect(0, 0, 0, 0);
  (void)world.ledger.claim(stamp, {kOther, 3});
  world.expect(0, 0, 0, 1);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(all_in_order_is_no_complaint),
      cmocka_unit_test(a_message_waits_until_its_place_is_known),
      cmocka_unit_test(a_message_that_is_dropped_is_seen),
      cmocka_unit_test(the_first_that_is_dropped_is_seen),
      cmocka_unit_test(the_last_that_is_dropped_is_seen),
      cmocka_unit_test(one_that_gets_nothing_is_seen),
      cmocka_unit_test(what_came_before_it_was_let_in_may_be_missing),
      cmocka_unit_test(where_nobody_says_so_it_begins_with_the_first),
      cmocka_unit_test(a_message_that_is_doubled_is_seen),
      cmocka_unit_test(a_message_that_comes_late_is_seen),
      cmocka_unit_test(what_comes_before_it_is_let_in_is_seen),
      cmocka_unit_test(what_is_said_to_another_is_seen),
      cmocka_unit_test(what_nobody_published_is_seen),
      cmocka_unit_test(another_epoch_within_a_connection_is_seen),
      cmocka_unit_test(between_two_connections_messages_may_be_missing),
      cmocka_unit_test(what_came_before_may_come_again),
      cmocka_unit_test(what_is_sent_after_has_to_be_all),
      cmocka_unit_test(nothing_that_is_sent_after_is_seen),
      cmocka_unit_test(what_is_sent_after_may_come_again),
      cmocka_unit_test(nothing_is_sent_after_where_no_note_was_made),
      cmocka_unit_test(who_heard_nothing_was_somewhere),
      cmocka_unit_test(what_is_said_to_a_user_has_to_come),
      cmocka_unit_test(what_is_said_in_doubt_may_be_missing),
      cmocka_unit_test(what_is_said_in_doubt_may_come_late),
      cmocka_unit_test(what_is_said_in_doubt_may_be_published_twice),
      cmocka_unit_test(a_copy_of_before_may_come_late_and_once),
      cmocka_unit_test(so_may_one_of_what_was_said_to_its_user),
      cmocka_unit_test(what_is_accepted_and_comes_nowhere_is_lost),
      cmocka_unit_test(what_several_nodes_take_may_stand_in_two_epochs),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
