#include "session/token_keeper.hpp"

#include <string>
#include <utility>

#include "session/token_world.hpp"

#include "test.hpp"

namespace paperboy::session {
namespace {

using auth::Scope;

constexpr Bytes kClaims =
    R"({"sub":"ann","channel":"news","scope":"subscribe publish",)"
    R"("info":{"a":1}})";

void what_is_made_is_good_at_once(void**) {
  World world;
  const auto made = world.create(kClaims);
  assert_text(world.why, "");
  assert_true(made.expires == 1100);
  const auto token = world.find(made.token);
  assert_true(token.ok());
  assert_text(token->user, "ann");
  assert_text(token->channel, "news");
  assert_text(token->info, R"({"a":1})");
  assert_text(token->id, made.id.c_str());
  assert_true(token->issued == 1000 && token->expires == 1100);
  assert_true(token->grants.allows(Scope::subscribe, "news"));
  assert_true(token->grants.allows(Scope::publish, "news"));
  assert_false(token->grants.allows(Scope::history, "news"));
  assert_true(token->opaque != 0);
  world.clock.now = 1100;
  world.assert_refused(made.token, TokenError::unknown);
}

void nothing_of_it_is_told_but_a_hash(void**) {
  World world;
  const auto made = world.create(kClaims);
  const Bytes channel = hub::kTokens;
  for (const Kept& kept : world.broker.entry(channel).kept) {
    assert_true(kept.data.find(made.token) == std::string::npos);
    assert_true(kept.data.find(made.token.substr(4)) == std::string::npos);
  }
  assert_int_equal(world.broker.entry(channel).kept.size(), 1);
  const Bytes memory(reinterpret_cast<const char*>(world.node.memory),
                     world.node.size);
  assert_true(memory.find(R"("sub":"ann")") != Bytes::npos);
  assert_true(memory.find(made.token.substr(4)) == Bytes::npos);
}

void a_token_is_its_namespaces(void**) {
  World world;
  const auto made = world.create(kClaims, 100, false, "shop");
  world.assert_refused(made.token, TokenError::unknown);
  assert_true(world.find(made.token, "shop").ok());
  assert_text(world.end(made.token), "there was none");
  assert_text(world.end(made.id), "there was none");
  world.turn();
  assert_true(world.find(made.token, "shop").ok());
  assert_text(world.end(made.id, "shop"), "ended");
  world.assert_refused(made.token, TokenError::revoked, "shop");
}

void what_was_never_made_is_unknown(void**) {
  World world;
  world.assert_refused("pbo_" + std::string(32, 'A'), TokenError::unknown);
  world.assert_refused("pbo_x", TokenError::malformed);
}

void an_end_is_heard(void**) {
  World world;
  const auto made = world.create(kClaims);
  world.use(made.token);
  assert_false(world.turn());
  assert_text(world.end(made.token), "ended");
  assert_text(world.end(made.token), "there was none");
  world.assert_refused(made.token, TokenError::revoked);
  assert_true(world.turn());
  assert_false(world.turn());
  assert_text(world.end("x"), "bad_request");
}

void what_slides_lives_from_its_last_use(void**) {
  World world;
  const auto made = world.create(kClaims, 20, true);
  assert_true(made.expires == 1020);
  const auto token = world.find(made.token);
  assert_true(token.ok() && !token->expires);
  world.clock.now = 1019;
  assert_true(world.find(made.token).ok());  // which is no use yet
  assert_true(world.node.keeper.keep(token->opaque) == Standing::good);
  world.clock.now = 1038;
  assert_true(world.find(made.token).ok());
  world.clock.now = 1039;
  world.assert_refused(made.token, TokenError::unknown);
  assert_true(world.node.keeper.keep(token->opaque) == Standing::unknown);
}

void what_cant_be_is_refused(void**) {
  World world;
  for (const Bytes claims :
       {"", "[]", R"({"sub":[]})", R"({"channels":7})", R"({"caps":{}})",
        R"({"sub":"a","sub":"b"})", R"({"channel":""})", R"({"limits":7})",
        R"({"limits":{"connection":1}})", R"({"limits":{"bytes":"much"}})"}) {
    world.create(claims);
    assert_text(world.why, "bad_request");
  }
  for (const std::uint64_t seconds : {0ULL, 315'360'001ULL}) {
    world.create("{}", seconds);
    assert_text(world.why, "bad_request");
  }
  world.create("{}", 4, true);
  assert_text(world.why, "bad_request");
  world.create(R"({"info":")" + std::string(128, 'x') + R"("})");
  assert_text(world.why, "too_large");
  world.broker.refusal = Error{ErrorCode::unavailable, "away"};
  world.create("{}");
  assert_text(world.why, "unavailable");
  world.broker.refusal.reset();
  assert_int_equal(world.broker.entry(hub::kTokens).kept.size(), 0);
}

void no_more_than_may_be(void**) {
  World world;
  for (int i = 0; i < 10; ++i) {
    world.create("{}", 5);
    assert_text(world.why, "");
  }
  const auto refused = world.create("{}");
  assert_text(world.why, "too_large");
  assert_text(refused.token, "");
  world.clock.now += 6;
  world.node.keeper.tick();
  world.create("{}");
  assert_text(world.why, "");
}

void it_may_say_how_much_its_bearer_may(void**) {
  World world;
  const auto made =
      world.create(R"({"limits":{"connections":2,"messages":"9/m burst=3"}})");
  auth::TokenRules rules;
  rules.limits_claim = "limits";
  const auto token = world.node.keeper.find("", made.token, rules);
  assert_true(token.ok());
  assert_int_equal(token->limits.connections, 2);
  assert_int_equal(token->limits.messages.number, 9);
  assert_int_equal(token->limits.messages.burst, 3);
}

void an_end_that_cant_be_told_is_none(void**) {
  World world;
  const auto made = world.create(kClaims);
  world.broker.refusal = Error{ErrorCode::unavailable, "away"};
  assert_text(world.end(made.token), "unavailable");
  assert_true(world.find(made.token).ok());
}

void other_nodes_hear_of_all(void**) {
  World world;
  Node other(world);
  assert_true(other.keeper.listen().ok());
  const auto made = world.create(kClaims, 100, true);
  world.turn(&other);
  const auto token = other.keeper.find("", made.token, {});
  assert_true(token.ok());
  world.clock.now = 1060;
  other.keeper.keep(token->opaque);
  other.keeper.tick();
  world.turn(&other);
  world.clock.now = 1150;
  assert_true(world.find(made.token).ok());
  assert_text(world.end(made.token), "ended");
  assert_true(world.turn(&other));
  assert_int_equal(other.keeper.find("", made.token, {}).error(),
                   TokenError::revoked);
}

void one_that_isnt_known_here_is_ended_there(void**) {
  World world;
  Node other(world);
  assert_true(other.keeper.listen().ok());
  const auto made = world.create(kClaims);
  world.use(made.token);
  bool known = true;
  other.keeper.end("", made.id,
                   [&](const Result<bool>& outcome) { known = *outcome; });
  assert_false(known);
  assert_true(world.turn(&other));
  world.assert_refused(made.token, TokenError::revoked);
}

void one_that_has_no_room_says_so(void**) {
  World world;
  Node other(world, {.most = 10, .size = 64});
  assert_true(other.keeper.listen().ok());
  world.create(kClaims);
  world.turn(&other);
  assert_int_equal(other.complaints, 1);
  assert_int_equal(world.node.complaints, 0);
}

void who_comes_later_reads_what_was_before(void**) {
  World world;
  const auto good = world.create(kClaims);
  const auto ended = world.create(kClaims);
  assert_text(world.end(ended.token), "ended");
  const auto over = world.create("{}", 5);
  world.clock.now += 50;
  Node other(world);
  assert_int_equal(other.keeper.find("", good.token, {}).error(),
                   TokenError::unknown_so_far);
  assert_true(other.keeper.listen().ok());
  assert_true(other.keeper.known());
  assert_true(other.keeper.find("", good.token, {}).ok());
  assert_int_equal(other.keeper.find("", ended.token, {}).error(),
                   TokenError::unknown);
  assert_int_equal(other.keeper.find("", over.token, {}).error(),
                   TokenError::unknown);
}

// What was said first is over by then.
void who_comes_later_reads_how_long_it_was_prolonged(void**) {
  World world;
  const auto made = world.create(kClaims, 20, true);
  const auto token = world.find(made.token);
  assert_true(token.ok());
  world.clock.now = 1015;
  assert_true(world.node.keeper.keep(token->opaque) == Standing::good);
  world.node.keeper.tick();
  world.turn();
  world.clock.now = 1025;
  Node other(world);
  assert_true(other.keeper.listen().ok());
  assert_true(other.keeper.find("", made.token, {}).ok());
  world.clock.now = 1035;
  assert_int_equal(other.keeper.find("", made.token, {}).error(),
                   TokenError::unknown);
}

void it_is_known_when_the_answer_has_come(void**) {
  World world;
  const auto made = world.create(kClaims);
  world.broker.hold_replies = true;
  Node other(world);
  assert_true(other.keeper.listen().ok());
  assert_true(other.keeper.listen().ok());
  assert_false(other.keeper.known());
  bool refused = false;
  other.keeper.create({"", "{}", 9, false},
                      [&](const auto& outcome) { refused = !outcome.ok(); });
  assert_true(refused);
  world.broker.refusal = Error{ErrorCode::unavailable, "away"};
  world.broker.answer_held();
  assert_false(other.keeper.known());
  world.broker.refusal.reset();
  assert_true(other.keeper.listen().ok());
  world.broker.answer_held();
  assert_true(other.keeper.known());
  assert_true(other.keeper.find("", made.token, {}).ok());
}

void an_answer_may_come_too_late(void**) {
  World world;
  world.broker.hold_replies = true;
  int answers = 0;
  {
    Node other(world);
    assert_true(other.keeper.listen().ok());
    world.broker.answer_held();
    other.keeper.create({"", "{}", 9, false}, [&](const auto&) { ++answers; });
    assert_true(other.keeper.listen().ok());
  }
  world.broker.answer_held();
  assert_int_equal(answers, 1);
}

// Neither a lost answer nor a lost history loses a token.
void what_the_history_lacks_it_is_told(void**) {
  World world;
  const auto made = world.create(kClaims);
  world.turn();
  world.node.keeper.tick();
  assert_int_equal(world.broker.entry(hub::kTokens).kept.size(), 1);
  for (int i = 0; i < 600; ++i) {
    world.broker.bring(hub::kTokens, "of another build");
  }
  world.turn();
  world.clock.now += 1;
  world.node.keeper.tick();
  assert_int_equal(world.broker.entry(hub::kTokens).kept.size(), 2);
  assert_true(world.find(made.token).ok());
}

void a_history_that_is_gone_is_told_all(void**) {
  World world;
  const auto made = world.create(kClaims);
  world.turn();
  world.node.keeper.tick();
  world.broker.begin_anew(hub::kTokens, 9);
  world.clock.now += 10;
  world.node.keeper.tick();
  world.clock.now += 1;
  world.node.keeper.tick();
  assert_int_equal(world.broker.entry(hub::kTokens).kept.size(), 1);
  Node other(world);
  assert_true(other.keeper.listen().ok());
  assert_true(other.keeper.find("", made.token, {}).ok());
}

void only_those_are_asked_who_have_one_that_slides(void**) {
  World world;
  Node other(world);
  assert_true(other.keeper.listen().ok());
  world.use(world.create(kClaims, 100).token);
  const auto made = world.create(kClaims, 40, true);
  world.turn(&other);
  assert_false(world.node.keeper.tick());
  world.use(made.token);
  world.clock.now += 10;
  assert_true(world.node.keeper.tick());
  assert_false(world.node.keeper.tick());
  assert_false(other.keeper.tick());
  world.clock.now += 10;
  assert_true(world.node.keeper.tick());
  assert_false(other.keeper.tick());
}

// Nor does an end of what never was make anybody look.
void only_those_look_who_have_what_ended(void**) {
  World world;
  Node other(world);
  assert_true(other.keeper.listen().ok());
  const auto used = world.create(kClaims);
  const auto shown = world.create(kClaims);
  world.turn(&other);
  world.use(used.token);
  world.use(shown.token, &other);
  const auto heard_by = [&] {
    world.hub.drain();
    const bool here = world.node.keeper.look();
    const bool there = other.keeper.look();
    world.hub.release();
    return std::string(here ? "here" : "") + (there ? "there" : "");
  };
  const std::string unknown = "pbi_" + std::string(43, 'A');
  assert_text(world.end(unknown), "there was none");
  assert_text(heard_by(), "");
  assert_text(world.end(shown.token), "ended");
  assert_text(heard_by(), "there");
  assert_text(world.end(used.token), "ended");
  assert_text(heard_by(), "here");
}

}  // namespace
}  // namespace paperboy::session

int main() {
  using namespace paperboy::session;
  const CMUnitTest tests[] = {
      cmocka_unit_test(what_is_made_is_good_at_once),
      cmocka_unit_test(nothing_of_it_is_told_but_a_hash),
      cmocka_unit_test(a_token_is_its_namespaces),
      cmocka_unit_test(what_was_never_made_is_unknown),
      cmocka_unit_test(an_end_is_heard),
      cmocka_unit_test(what_slides_lives_from_its_last_use),
      cmocka_unit_test(what_cant_be_is_refused),
      cmocka_unit_test(no_more_than_may_be),
      cmocka_unit_test(it_may_say_how_much_its_bearer_may),
      cmocka_unit_test(an_end_that_cant_be_told_is_none),
      cmocka_unit_test(other_nodes_hear_of_all),
      cmocka_unit_test(one_that_isnt_known_here_is_ended_there),
      cmocka_unit_test(one_that_has_no_room_says_so),
      cmocka_unit_test(who_comes_later_reads_what_was_before),
      cmocka_unit_test(who_comes_later_reads_how_long_it_was_prolonged),
      cmocka_unit_test(it_is_known_when_the_answer_has_come),
      cmocka_unit_test(an_answer_may_come_too_late),
      cmocka_unit_test(what_the_history_lacks_it_is_told),
      cmocka_unit_test(a_history_that_is_gone_is_told_all),
      cmocka_unit_test(only_those_are_asked_who_have_one_that_slides),
      cmocka_unit_test(only_those_look_who_have_what_ended),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
