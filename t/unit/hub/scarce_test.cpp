// A hub whose worker runs out of memory amid a call, at each place where it
// takes some, one after the other: nothing half done stays behind.
#include <cstdlib>
#include <new>

#include "hub/fakes.hpp"
#include "hub/hub.hpp"
#include "hub/listener.hpp"
#include "hub/recovery.hpp"

#include "test.hpp"  // last: a macro of its own is called fail

namespace {

std::size_t until_none = 0;  // allocations, the last of which fails; 0: none

}  // namespace

// Not inline: the compiler would take new and free for a mismatch.
[[gnu::noinline]] void* operator new(std::size_t size) {
  if (until_none != 0 && --until_none == 0) throw std::bad_alloc();
  if (void* const room = std::malloc(size)) return room;
  throw std::bad_alloc();
}

[[gnu::noinline]] void operator delete(void* room) noexcept { std::free(room); }
[[gnu::noinline]] void operator delete(void* room, std::size_t) noexcept {
  std::free(room);
}

namespace paperboy::hub {
namespace {

struct Fixture {
  Fixture() { broker.entry("news"); }

  void join(Listener& listener) {
    assert_true(hub.subscribe(listener.in(hub), "news", lines).ok());
  }
  void publish(Bytes data) {
    broker.bring({.channel = "news", .data = data, .keep = {.count = 100}});
    while (hub.drain()) hub.release();
    hub.release();
  }
  void assert_empty() {
    assert_int_equal(hub.channel_count(), 0);
    assert_int_equal(broker.entry("news").subscribers, 0);
  }

  FakeBroker broker;
  FakePresence presence{broker};
  RuleSet rules;
  Hub hub{broker, presence, rules};
  Lines lines;
};

/// Whether the allocation of that number failed; false: there are less.
template <typename Call>
bool fails_at(std::size_t number, Call call) {
  until_none = number;
  try {
    call();
  } catch (const std::bad_alloc&) {
    assert_int_equal(until_none, 0);
  }
  return std::exchange(until_none, 0) == 0;
}

void who_has_no_memory_to_subscribe_isnt_subscribed(void**) {
  std::size_t number = 1;
  for (;; ++number) {
    Fixture f;
    Listener listener;
    Subscription& subscription = listener.in(f.hub);
    const bool failed = fails_at(
        number, [&] { (void)f.hub.subscribe(subscription, "news", f.lines); });
    if (!failed) break;
    assert_false(subscription.active());
    f.assert_empty();
    f.join(listener);
    f.publish("a");
    assert_string_equal(listener.heard.c_str(), "1=a;");
    f.hub.unsubscribe(subscription);
    f.assert_empty();
  }
  assert_true(number > 3);  // the index, the pool's list, its page
}

void who_has_no_memory_to_wait_for_what_it_missed_keeps_nothing(void**) {
  std::size_t number = 1;
  for (;; ++number) {
    Fixture f;
    Listener stays;
    Listener asks;
    f.join(stays);
    f.publish("a");
    f.join(asks);
    const bool failed = fails_at(number, [&] {
      f.hub.recover(asks.subscription, Position{7, 0}, {}, [](const auto&) {});
    });
    f.publish("b");
    assert_string_equal(stays.heard.c_str(), "1=a;2=b;");
    f.hub.unsubscribe(asks.subscription);
    f.hub.unsubscribe(stays.subscription);
    f.assert_empty();
    if (!failed) break;
  }
  assert_true(number > 4);  // who waits, what the channel has for it, its list
}

}  // namespace
}  // namespace paperboy::hub

int main() {
  using namespace paperboy::hub;
  const CMUnitTest tests[] = {
      cmocka_unit_test(who_has_no_memory_to_subscribe_isnt_subscribed),
      cmocka_unit_test(
          who_has_no_memory_to_wait_for_what_it_missed_keeps_nothing),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
