#include "hub/attendance.hpp"

#include "hub/fakes.hpp"
#include "hub/hub.hpp"
#include "hub/listener.hpp"

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::hub {
namespace {

/// Tells events from messages.
class Events final : public Encoder {
 public:
  void encode(const Publication& publication, std::string& out) override {
    if (publication.event == Event::join) out += "join ";
    if (publication.event == Event::leave) out += "leave ";
    out.append(publication.data).append(";");
  }
};

struct Fixture {
  FakeBroker broker;
  FakePresence presence{broker};
  RuleSet rules;
  Hub hub{broker, presence, rules};
  Events events;
  Listener watches;

  Fixture(bool known, bool told) {
    Rule rule;
    rule.presence = known;
    rule.join_leave = told;
    rule.max_subscribers = 2;
    assert_true(rules.add("room", rule));
    assert_true(hub.subscribe(watches.in(hub), "room", events).ok());
  }

  Result<Position> enter(Listener& listener) {
    const Member member{.client = "c1", .user = "ann"};
    return hub.subscribe(listener.in(hub), "room", events, &member);
  }
  void drain() {
    hub.drain();
    hub.release();
  }
};

constexpr const char* kComesAndGoes =
    R"(join {"user":"ann","client":"c1"};leave {"user":"ann","client":"c1"};)";

void who_is_there_is_known_where_the_rule_says_so(void**) {
  Fixture f(true, false);
  Listener ann;
  assert_true(f.enter(ann).ok());
  assert_int_equal(f.presence.size(), 1);
  f.hub.unsubscribe(ann.subscription);
  assert_int_equal(f.presence.size(), 0);
  f.drain();
  assert_string_equal(f.watches.heard.c_str(), "");
}

void who_comes_and_goes_is_told_where_the_rule_says_so(void**) {
  Fixture f(false, true);
  {
    Listener ann;
    assert_true(f.enter(ann).ok());
    assert_int_equal(f.presence.size(), 0);
  }
  f.drain();
  assert_string_equal(f.watches.heard.c_str(), kComesAndGoes);
}

void without_a_rule_nobody_is_known_or_told(void**) {
  Fixture f(false, false);
  Listener ann;
  assert_true(f.enter(ann).ok());
  f.hub.unsubscribe(ann.subscription);
  f.drain();
  assert_int_equal(f.presence.size(), 0);
  assert_string_equal(f.watches.heard.c_str(), "");
}

void who_can_not_be_noted_does_not_get_in(void**) {
  Fixture f(true, true);
  Listener ann;
  f.presence.refusal = Error{ErrorCode::too_many_channels, "full"};
  assert_true(f.enter(ann).error().code == ErrorCode::too_many_channels);
  assert_false(ann.subscription.active());
  assert_int_equal(f.broker.subscribers(), 1);
  f.drain();
  assert_string_equal(f.watches.heard.c_str(), "");
}

void a_channel_takes_as_many_as_its_rule_says(void**) {
  Fixture f(true, false);
  Listener ann;
  Listener bob;
  assert_true(f.enter(ann).ok());
  assert_true(f.enter(bob).error().code == ErrorCode::channel_full);
  f.hub.unsubscribe(ann.subscription);
  assert_true(f.enter(bob).ok());
}

}  // namespace
}  // namespace paperboy::hub

int main() {
  using namespace paperboy::hub;
  const CMUnitTest tests[] = {
      cmocka_unit_test(who_is_there_is_known_where_the_rule_says_so),
      cmocka_unit_test(who_comes_and_goes_is_told_where_the_rule_says_so),
      cmocka_unit_test(without_a_rule_nobody_is_known_or_told),
      cmocka_unit_test(who_can_not_be_noted_does_not_get_in),
      cmocka_unit_test(a_channel_takes_as_many_as_its_rule_says),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
