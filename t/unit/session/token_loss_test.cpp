// Opaque tokens where a worker has lost what was said of them.
#include "session/token_keeper.hpp"

#include <string>

#include "session/token_world.hpp"

#include "test.hpp"

namespace paperboy::session {
namespace {

constexpr Bytes kClaims = R"({"sub":"ann","channel":"news"})";

// It was too slow, or Redis was away.
void an_end_that_was_missed_is_read(void**) {
  World world;
  Node other(world);
  assert_true(other.keeper.listen().ok());
  const auto made = world.create(kClaims);
  world.turn(&other);
  world.use(made.token, &other);
  world.create("{}");
  assert_text(world.end(made.token), "ended");
  auto& kept = world.broker.entry(hub::kTokens).kept;
  kept.erase(kept.begin() + 1);
  world.broker.lose = true;
  world.turn(&other);
  assert_true(other.keeper.find("", made.token, {}).ok());
  assert_true(other.keeper.listen().ok());
  assert_true(other.keeper.look());
  assert_int_equal(other.keeper.find("", made.token, {}).error(),
                   TokenError::revoked);
}

// Another worker of the node has obeyed it, and given its record back.
void an_end_that_nobody_can_read_any_more_is_looked_for(void**) {
  World world;
  Node other(world);
  assert_true(other.keeper.listen().ok());
  const auto made = world.create(kClaims);
  world.turn(&other);
  world.use(made.token, &other);
  assert_false(other.keeper.tick());
  assert_text(world.end(made.token), "ended");
  const auto hash = auth::hash_of("", made.token);
  assert_true(hash && other.table.end(*hash, {7, 2}, world.clock.now));
  world.broker.entry(hub::kTokens).kept.clear();
  world.broker.lose = true;
  world.hub.drain();
  assert_true(other.keeper.tick());
  assert_false(other.keeper.tick());
}

// Nobody reads later what it gives back.
void who_has_lost_something_gives_nothing_back(void**) {
  World world;
  world.create(kClaims, 5);
  const auto made = world.create(kClaims);
  world.turn();
  world.clock.now += 6;
  world.node.keeper.tick();
  assert_int_equal(world.broker.released.offset, 1);
  assert_text(world.end(made.token), "ended");
  world.broker.entry(hub::kTokens).kept.clear();
  world.broker.lose = true;
  world.turn();
  world.broker.refusal = Error{ErrorCode::unavailable, "away"};
  world.clock.now += 1;
  world.node.keeper.tick();
  assert_true(world.node.keeper.known());
  assert_int_equal(world.broker.released.offset, 1);
  world.broker.refusal.reset();
  world.clock.now += 1;
  world.node.keeper.tick();
  assert_int_equal(world.broker.released.offset, 3);
  assert_int_equal(world.broker.released.epoch, 7);
}

// The other worker's is on its way when this one tells the token again.
void an_end_stands_behind_whatever_was_said_of_its_token(void**) {
  World world;
  const auto made = world.create(kClaims);
  world.turn();
  auto& kept = world.broker.entry(hub::kTokens).kept;
  const std::string put = kept.front().data;
  assert_text(world.end(made.token), "ended");
  world.broker.bring(
      {.channel = hub::kTokens, .data = put, .keep = {.count = 10}});
  world.turn();
  kept.pop_front();
  kept.pop_front();
  world.node.keeper.tick();
  assert_int_equal(kept.size(), 2);
  Node later(world);
  assert_true(later.keeper.listen().ok());
  assert_true(later.keeper.known());
  assert_int_equal(later.keeper.find("", made.token, {}).error(),
                   TokenError::unknown);
}

// Others hear that there is one when it has ended already.
void what_ends_at_once_ends_once(void**) {
  World world;
  const auto made = world.create(kClaims);
  assert_text(world.end(made.token), "ended");
  world.turn();
  world.node.keeper.tick();
  assert_int_equal(world.broker.entry(hub::kTokens).kept.size(), 2);
}

// It is answered when the history has begun anew.
void what_was_said_in_a_history_that_is_gone_is_told_anew(void**) {
  World world;
  world.create(kClaims);
  world.turn();
  world.node.keeper.tick();
  const auto bring = [&](int number) {
    for (int i = 0; i < number; ++i) {
      world.broker.bring(hub::kTokens, "of another build");
    }
  };
  bring(2000);
  world.broker.hold_replies = true;
  world.create(kClaims);
  world.turn();
  world.broker.begin_anew(hub::kTokens, 9);
  world.broker.anchor(hub::kTokens);
  world.turn();
  world.clock.now += 1;
  world.node.keeper.tick();
  const auto& kept = world.broker.entry(hub::kTokens).kept;
  assert_int_equal(kept.size(), 2);
  world.broker.hold_replies = false;
  world.broker.answer_held();
  bring(600);
  world.turn();
  world.clock.now += 1;
  world.node.keeper.tick();
  assert_int_equal(kept.size(), 4);
}

}  // namespace
}  // namespace paperboy::session

int main() {
  using namespace paperboy::session;
  const CMUnitTest tests[] = {
      cmocka_unit_test(an_end_that_was_missed_is_read),
      cmocka_unit_test(an_end_that_nobody_can_read_any_more_is_looked_for),
      cmocka_unit_test(who_has_lost_something_gives_nothing_back),
      cmocka_unit_test(an_end_stands_behind_whatever_was_said_of_its_token),
      cmocka_unit_test(what_ends_at_once_ends_once),
      cmocka_unit_test(what_was_said_in_a_history_that_is_gone_is_told_anew),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
