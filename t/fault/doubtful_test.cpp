// That the checker excuses what back ends said while something was broken, and
// nothing else.
#include "hearing_world.hpp"

namespace {

using namespace paperboy::fault;

/// A world in which a back end says one thing to all, while something is
/// broken.
Stamp said_in_doubt(World& world) {
  world.ledger.doubt(Doubt::all, 0);
  const Stamp stamp = world.sent(2, Way::topic);
  world.ledger.accept(stamp);
  world.ledger.doubt(Doubt::none, 0);
  return stamp;
}

/// It is heard before anybody tells where; the second is told first.
void what_is_said_in_doubt_may_stand_anywhere(void**) {
  World world;
  const Stamp stamp = said_in_doubt(world);
  world.gets_all(1, 1);
  world.gets(stamp);
  world.gets_all(3, 4);
  (void)world.ledger.claim(stamp, {kEpoch, 7});
  world.gets_all(5, 6);
  world.gets(stamp);
  world.gets_all(8, 8);
  (void)world.ledger.claim(stamp, {kEpoch, 2});
  world.here.finish({kEpoch, 8});
  world.expect(0, 0, 0, 0);
}

void what_is_said_in_doubt_comes_as_often_as_it_stands(void**) {
  World world;
  const Stamp stamp = said_in_doubt(world);
  (void)world.ledger.claim(stamp, {kEpoch, 1});
  (void)world.ledger.claim(stamp, {kEpoch, 2});
  for (int i = 0; i < 3; ++i) world.gets(stamp);
  world.gets_all(3, 3);
  world.here.finish({kEpoch, 3});
  world.expect(0, 1, 0, 0);
}

void what_is_said_in_doubt_and_stands_once_has_to_come(void**) {
  World world;
  const Stamp stamp = said_in_doubt(world);
  world.gets_all(1, 1);
  (void)world.ledger.claim(stamp, {kEpoch, 2});
  world.gets_all(3, 3);
  world.here.finish({kEpoch, 3});
  world.expect(1, 0, 0, 0);
}

/// What is sent after begins behind it.
void what_is_said_in_doubt_may_have_come_last_before(void**) {
  World world(true);
  const Stamp stamp = said_in_doubt(world);
  (void)world.ledger.claim(stamp, {kEpoch, 2});
  world.gets_all(1, 1);
  world.gets(stamp);
  world.returns(true);
  world.gets_all(3, 3);
  world.returns(true);
  world.gets_all(4, 4);
  world.here.finish({kEpoch, 4});
  world.expect(0, 0, 0, 0);
}

/// One of others may not be missing between, nor come twice.
void what_others_publish_meanwhile_is_excused_by_nothing(void**) {
  World world;
  const Stamp stamp = said_in_doubt(world);
  (void)world.ledger.claim(stamp, {kEpoch, 2});
  world.gets_all(1, 1);
  world.gets(stamp);
  world.miss(3, 3);
  (void)world.ledger.claim(stamp, {kEpoch, 4});
  world.gets(stamp);
  const Stamp fifth = world.published(5);
  world.gets(fifth);
  world.gets(fifth);
  world.here.finish({kEpoch, 5});
  world.expect(1, 1, 0, 0);
}

/// Nobody has told where it stands, since all who are told had gone.
void what_came_from_nobody_knows_where_fills_a_blank(void**) {
  World world;
  world.gets_all(1, 1);
  const Stamp stamp = world.sent(2, Way::broadcast);
  world.ledger.accept(stamp);
  world.gets(stamp);
  world.gets_all(3, 3);
  world.here.finish({kEpoch, 3});
  world.expect(0, 0, 0, 0);
}

void what_nobody_has_told_and_did_not_come_is_seen(void**) {
  World world;
  world.gets_all(1, 1);
  world.gets_all(3, 3);
  world.here.finish({kEpoch, 3});
  world.expect(1, 0, 0, 0);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(what_is_said_in_doubt_may_stand_anywhere),
      cmocka_unit_test(what_is_said_in_doubt_comes_as_often_as_it_stands),
      cmocka_unit_test(what_is_said_in_doubt_and_stands_once_has_to_come),
      cmocka_unit_test(what_is_said_in_doubt_may_have_come_last_before),
      cmocka_unit_test(what_others_publish_meanwhile_is_excused_by_nothing),
      cmocka_unit_test(what_came_from_nobody_knows_where_fills_a_blank),
      cmocka_unit_test(what_nobody_has_told_and_did_not_come_is_seen),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
