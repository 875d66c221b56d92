// A hub whose worker runs out of memory: nobody gets anything twice, and none
// misses anything without being told.
#include <new>
#include <string>

#include "hub/fakes.hpp"
#include "hub/hub.hpp"
#include "hub/listener.hpp"
#include "hub/recovery.hpp"

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::hub {
namespace {

struct Fixture {
  FakeBroker broker;
  FakePresence presence{broker};
  RuleSet rules;
  Hub hub{broker, presence, rules};
  Lines lines;

  void publish(Bytes data) {
    broker.bring({.channel = "news", .data = data, .keep = {.count = 100}});
  }
  void join(Listener& listener) {
    assert_true(hub.subscribe(listener.in(hub), "news", lines).ok());
  }
  void drain_all() {
    while (hub.drain()) hub.release();
    hub.release();
  }
};

void assert_heard(const Listener& listener, const char* expected) {
  assert_string_equal(listener.heard.c_str(), expected);
}

void a_history_without_memory_is_an_error_or_a_gap(void**) {
  Fixture f;
  Listener asks;
  Listener stays;
  f.join(stays);
  f.publish("a");
  f.drain_all();
  f.join(asks);
  f.broker.out_of_memory = true;
  f.hub.recover(asks.subscription, Position{7, 0}, {}, [&](const auto& answer) {
    if (!answer) asks.heard += "[error]";
  });
  assert_heard(asks, "[error]");
  f.hub.unsubscribe(asks.subscription);
  f.publish("b");
  f.broker.lose = f.broker.out_of_memory = true;
  bool thrown = false;
  try {
    f.drain_all();
  } catch (const std::bad_alloc&) {
    thrown = true;
  }
  f.hub.release();
  assert_true(thrown);
  f.publish("c");
  f.drain_all();
  assert_heard(stays, "1=a;gap;3=c;");
}

/// Has no memory for what comes while `fails`.
class Forgetful final : public Subscriber {
 public:
  explicit Forgetful(Hub& hub) : hub_(hub) {}
  [[nodiscard]] Hub& hub() const override { return hub_; }
  void deliver(const Subscription&, Bytes run, std::uint32_t) override {
    if (fails > 0 && fails-- > 0) throw std::bad_alloc();
    heard += run;
  }
  void gap(const Subscription&) override {
    if (fails > 0 && fails-- > 0) throw std::bad_alloc();
    heard += "gap;";
  }

  int fails = 0;
  std::string heard;
  Subscription subscription{*this};

 private:
  Hub& hub_;
};

void who_has_no_memory_is_told_of_a_hole_and_others_get_it_once(void**) {
  for (const int fails : {1, 2}) {
    Fixture f;
    Listener before;
    Forgetful listener(f.hub);
    Listener after;
    f.join(before);
    assert_true(f.hub.subscribe(listener.subscription, "news", f.lines).ok());
    f.join(after);
    f.publish("a");
    listener.fails = fails;
    bool thrown = false;
    try {
      f.drain_all();
    } catch (const std::bad_alloc&) {
      thrown = true;
    }
    f.hub.release();
    assert_true(thrown);
    f.publish("b");
    f.drain_all();
    assert_heard(before, "1=a;2=b;");
    assert_heard(after, "1=a;2=b;");
    assert_string_equal(listener.heard.c_str(), "gap;2=b;");
  }
}

}  // namespace
}  // namespace paperboy::hub

int main() {
  using namespace paperboy::hub;
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_history_without_memory_is_an_error_or_a_gap),
      cmocka_unit_test(
          who_has_no_memory_is_told_of_a_hole_and_others_get_it_once),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
