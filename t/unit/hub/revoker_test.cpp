#include "hub/revoker.hpp"

#include <optional>
#include <string>
#include <utility>

#include "hub/fakes.hpp"

#include "test.hpp"

namespace paperboy::hub {
namespace {

class TestClock final : public Clock {
 public:
  [[nodiscard]] std::uint64_t monotonic_ms() const override { return 0; }
  [[nodiscard]] std::int64_t unix_seconds() const override { return now; }

  std::int64_t now = 1000;
};

struct World {
  explicit World(const RevocationLimits& limits = {})
      : revoker(hub, clock, limits, [this](const Revocation& one) {
          taken += one.token + one.user.value_or("") + " " +
                   std::to_string(one.before) + " " +
                   std::to_string(one.until) + ";";
        }) {}

  /// Empty: it went.
  std::string revoke(const Revoker::Wish& wish) {
    std::string why = "nothing";
    revoker.revoke(wish, [&why](const Result<Done>& outcome) {
      why = outcome ? std::string()
                    : std::string(error_name(outcome.error().code));
    });
    at_once = std::exchange(taken, {});
    return why;
  }
  std::string heard() {
    while (hub.drain()) {
      revoker.look();
    }
    revoker.look();
    hub.release();
    return std::exchange(taken, {});
  }

  FakeBroker broker;
  FakePresence presence{broker};
  RuleSet rules;
  Hub hub{broker, presence, rules};
  TestClock clock;
  std::string taken;
  std::string at_once;  // by whoever revoked it, before it is heard
  Revoker revoker;
};

Revoker::Wish of_user(Bytes user) {
  Revoker::Wish wish;
  wish.revocation.user = std::string(user);
  return wish;
}

Revoker::Wish of_token(Bytes id) {
  Revoker::Wish wish;
  wish.revocation.token = std::string(id);
  return wish;
}

void assert_text(const std::string& actual, const char* expected) {
  assert_string_equal(actual.c_str(), expected);
}

void what_is_revoked_is_heard(void**) {
  World world;
  assert_text(world.revoke(of_user("ann")), "unavailable");
  assert_true(world.revoker.listen().ok());
  assert_true(world.revoker.complete());
  assert_text(world.revoke(of_user("ann")), "");
  assert_text(world.revoke(of_token("t")), "");
  assert_text(world.heard(), "ann 1001 87400;t 4294967295 87400;");
  assert_text(world.heard(), "");
}

void what_is_revoked_is_so_when_it_is_answered(void**) {
  World world;
  assert_true(world.revoker.listen().ok());
  world.revoker.revoke(of_token("t"), [&](const Result<Done>& outcome) {
    assert_true(outcome.ok());
    assert_text(world.taken, "t 4294967295 87400;");
  });
  assert_text(world.revoke(of_user("ann")), "");
  assert_text(world.at_once, "t 4294967295 87400;ann 1001 87400;");
  world.broker.refusal = Error{ErrorCode::zone_full, "full"};
  assert_text(world.revoke(of_token("u")), "zone_full");
  assert_text(world.at_once, "");
}

void time_is_as_one_says(void**) {
  World world;
  assert_true(world.revoker.listen().ok());
  Revoker::Wish wish = of_token("t");
  wish.before = 7;
  wish.seconds = 60;
  assert_text(world.revoke(wish), "");
  wish.revocation = {};
  assert_text(world.revoke(wish), "");
  assert_text(world.heard(), "t 7 1060; 7 1060;");
}

void what_cant_be_is_refused(void**) {
  World world;
  assert_true(world.revoker.listen().ok());
  assert_text(world.revoke({}), "bad_request");
  Revoker::Wish wish = of_token("t");
  wish.seconds = 86'401;
  assert_text(world.revoke(wish), "bad_request");
  world.broker.refusal = Error{ErrorCode::zone_full, "full"};
  assert_text(world.revoke(of_token("t")), "zone_full");
}

void who_comes_later_reads_what_was_before(void**) {
  World world;
  assert_true(world.revoker.listen().ok());
  assert_text(world.revoke(of_token("a")), "");
  assert_text(world.revoke(of_token("b")), "");
  std::string later;
  Revoker other(world.hub, world.clock, {},
                [&later](const Revocation& one) { later += one.token; });
  assert_false(other.complete());
  assert_true(other.listen().ok());
  assert_true(other.complete());
  assert_text(later, "ab");
}

void it_is_complete_when_the_answer_has_come(void**) {
  World world;
  world.broker.hold_replies = true;
  assert_true(world.revoker.listen().ok());
  assert_true(world.revoker.listen().ok());
  assert_int_equal(world.broker.histories, 1);
  assert_false(world.revoker.complete());
  world.broker.answer_held();
  assert_true(world.revoker.complete());
}

void what_cant_be_read_is_read_again(void**) {
  World world;
  world.broker.hold_replies = true;
  assert_true(world.revoker.listen().ok());
  world.broker.refusal = Error{ErrorCode::unavailable, "away"};
  world.broker.answer_held();
  assert_false(world.revoker.complete());
  world.broker.refusal.reset();
  assert_true(world.revoker.listen().ok());
  world.broker.answer_held();
  assert_true(world.revoker.complete());
}

void an_answer_may_come_too_late(void**) {
  World world;
  world.broker.hold_replies = true;
  {
    Revoker other(world.hub, world.clock, {},
                  [](const Revocation&) { fail_msg("it is gone"); });
    assert_true(other.listen().ok());
  }
  world.broker.answer_held();
}

void no_more_than_may_be_and_none_forgotten(void**) {
  World world({.most = 2, .seconds = 100});
  assert_true(world.revoker.listen().ok());
  for (const char* const id : {"a", "b"}) {
    assert_text(world.revoke(of_token(id)), "");
    world.heard();
  }
  assert_text(world.revoke(of_token("c")), "too_large");
  world.clock.now += 100;
  assert_text(world.revoke(of_token("c")), "");
  assert_true(world.hub.rule(kRevocations).keep.count > 2);
  assert_true(world.hub.rule(kRevocations).keep.pinned);
}

/// One request may revoke thousands before the first is heard.
void what_isnt_heard_yet_counts_too(void**) {
  World world({.most = 2, .seconds = 100});
  assert_true(world.revoker.listen().ok());
  world.broker.refusal = Error{ErrorCode::zone_full, "full"};
  assert_text(world.revoke(of_token("none")), "zone_full");
  world.broker.refusal.reset();
  assert_text(world.revoke(of_token("a")), "");
  world.broker.hold_replies = true;
  world.revoker.revoke(of_token("b"), [](const Result<Done>&) {});
  assert_text(world.revoke(of_token("c")), "too_large");
  world.broker.answer_held();
  assert_text(world.revoke(of_token("c")), "too_large");
  world.heard();
  assert_text(world.revoke(of_token("c")), "too_large");
  assert_int_equal(world.revoker.remembered(), 2);
}

/// Nor does one that is revoked then: the channel has no time of its own.
void lower_limits_take_back_nothing(void**) {
  World world({.most = 10, .seconds = 3600});
  assert_true(world.revoker.listen().ok());
  for (const char* const id : {"a", "b", "c"}) {
    assert_text(world.revoke(of_token(id)), "");
  }
  world.heard();
  std::string later;
  const RevocationLimits less{.most = 3, .seconds = 2};
  Revoker other(world.hub, world.clock, less, [&later](const Revocation& one) {
    later += one.token + " " + std::to_string(one.until) + ";";
  });
  assert_true(other.listen().ok());
  assert_text(later, "a 4600;b 4600;c 4600;");
  assert_int_equal(other.remembered(), 3);
  const Retention keep = world.hub.rule(kRevocations).keep;
  assert_true(keep.count > 3 && keep.bytes == 0 && keep.age_ms == 0);
  bool full = false;
  other.revoke(of_token("d"), [&full](const Result<Done>& outcome) {
    full = !outcome && outcome.error().code == ErrorCode::too_large;
  });
  assert_true(full);
}

void what_is_over_is_given_back(void**) {
  World world;
  assert_true(world.revoker.listen().ok());
  const Position& released = world.broker.released;
  for (const std::uint64_t seconds : {10U, 30U, 20U}) {
    Revoker::Wish wish = of_token("t");
    wish.seconds = seconds;
    assert_text(world.revoke(wish), "");
  }
  world.broker.bring(kRevocations, "something else", Kind::binary);
  world.heard();
  assert_true(world.revoker.listen().ok());
  assert_int_equal(released.offset, 0);
  world.clock.now += 10;
  assert_true(world.revoker.listen().ok());
  assert_int_equal(released.offset, 1);
  assert_int_equal(released.epoch, 7);
  world.clock.now += 10;  // the last is over, but not the one before
  assert_true(world.revoker.listen().ok());
  assert_int_equal(released.offset, 1);
  world.clock.now += 10;
  assert_true(world.revoker.listen().ok());
  assert_int_equal(released.offset, 4);
}

/// It may begin amid others, and has one twice that it both read and hears.
void nothing_is_given_back_that_holds(void**) {
  World world;
  assert_true(world.revoker.listen().ok());
  assert_text(world.revoke(of_token("a")), "");
  world.heard();
  Revoker other(world.hub, world.clock, {}, [](const Revocation&) {});
  assert_true(other.listen().ok());
  Revoker::Wish wish = of_token("b");
  wish.seconds = 10;
  assert_text(world.revoke(wish), "");
  assert_text(world.revoke(of_token("c")), "");
  other.read_again();
  assert_true(other.listen().ok());
  world.heard();
  world.clock.now += 10;
  assert_true(other.listen().ok());
  assert_true(world.revoker.listen().ok());
  assert_int_equal(world.broker.released.offset, 0);
}

void what_was_before_is_taken_again(void**) {
  World world;
  assert_true(world.revoker.listen().ok());
  assert_text(world.revoke(of_token("a")), "");
  world.heard();
  world.revoker.read_again();
  assert_false(world.revoker.complete());
  assert_true(world.revoker.listen().ok());
  assert_true(world.revoker.complete());
  assert_text(world.heard(), "a 4294967295 87400;");
}

void who_was_too_slow_reads_all_again(void**) {
  World world;
  assert_true(world.revoker.listen().ok());
  assert_text(world.revoke(of_token("a")), "");
  world.broker.entry(kRevocations).kept.clear();
  world.broker.lose = true;
  world.heard();
  const auto before = world.broker.histories;
  assert_true(world.revoker.listen().ok());
  assert_true(world.broker.histories > before);
}

void what_another_build_wrote_is_passed_over(void**) {
  World world;
  assert_true(world.revoker.listen().ok());
  world.broker.bring(kRevocations, "something else", Kind::binary);
  assert_text(world.revoke(of_token("a")), "");
  assert_text(world.heard(), "a 4294967295 87400;");
}

}  // namespace
}  // namespace paperboy::hub

int main() {
  using namespace paperboy::hub;
  const CMUnitTest tests[] = {
      cmocka_unit_test(what_is_revoked_is_heard),
      cmocka_unit_test(what_is_revoked_is_so_when_it_is_answered),
      cmocka_unit_test(time_is_as_one_says),
      cmocka_unit_test(what_cant_be_is_refused),
      cmocka_unit_test(who_comes_later_reads_what_was_before),
      cmocka_unit_test(it_is_complete_when_the_answer_has_come),
      cmocka_unit_test(what_cant_be_read_is_read_again),
      cmocka_unit_test(an_answer_may_come_too_late),
      cmocka_unit_test(no_more_than_may_be_and_none_forgotten),
      cmocka_unit_test(what_isnt_heard_yet_counts_too),
      cmocka_unit_test(lower_limits_take_back_nothing),
      cmocka_unit_test(what_is_over_is_given_back),
      cmocka_unit_test(nothing_is_given_back_that_holds),
      cmocka_unit_test(what_was_before_is_taken_again),
      cmocka_unit_test(who_was_too_slow_reads_all_again),
      cmocka_unit_test(what_another_build_wrote_is_passed_over),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
