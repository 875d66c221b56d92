// The contract of all brokers on the shared-memory one, and what is its own:
// workers in other processes, killed ones, ones that were overrun.
#include "broker/shm_broker.hpp"

#include <csignal>
#include <memory>
#include <string>

#include "broker/contract.hpp"
#include "broker/contract_history.hpp"
#include "broker/shm_attached.hpp"

namespace paperboy::broker {
namespace {

Attached& attached(contract::Worker& worker) {
  return static_cast<Attached&>(*worker.broker);
}

void a_worker_in_another_process_is_heard(void**) {
  ShmNode node;
  contract::Worker here(node);
  hub::Listener listener;
  here.join(listener);
  const pid_t child = shm::spawn([&] {
    contract::Worker there(node);
    for (int i = 0; i < 3; ++i) (void)there.publish("from afar");
  });
  assert_int_equal(shm::wait_for(child), 0);
  here.assert_hears(listener, "1=from afar;2=from afar;3=from afar;");
}

void a_killed_workers_subscribers_are_forgotten(void**) {
  ShmNode node;
  contract::Worker here(node);
  hub::Listener listener;
  here.join(listener);
  const pid_t child = shm::spawn([&] {
    contract::Worker there(node);
    hub::Listener lost;
    there.join(lost);
    (void)there.publish("last words");
    raise(SIGKILL);
  });
  assert_int_equal(shm::wait_for(child), SIGKILL);
  attached(here).tick();
  assert_int_equal(here.publish("on we go")->subscribers, 1);
  here.assert_hears(listener, "1=last words;2=on we go;");
}

// Past the stall limit a worker holds nobody up any more: it is overrun, and
// says so of the channels in which it missed something.
void an_overrun_worker_tells_of_a_gap_and_goes_on(void**) {
  ShmNode node;
  contract::Worker stalled(node);
  contract::Worker busy(node);
  hub::Listener missed;
  hub::Listener quiet;
  stalled.join(missed, "news");
  stalled.join(quiet, "quiet");
  assert_true(busy.publish("a", "quiet").ok());
  stalled.assert_hears(quiet, "1=a;");
  const std::string data(10'000, 'x');
  Position last;
  for (int i = 0; i < 300; ++i) {
    node.clock.now += 1000;
    attached(busy).tick();
    busy.drain();
    last = busy.publish(data)->position;
  }
  assert_int_equal(last.offset, 300);
  attached(stalled).tick();
  stalled.drain();
  assert_true(missed.heard.starts_with("gap;"));
  assert_string_equal(quiet.heard.c_str(), "1=a;");
  assert_true(missed.subscription.position() == last);
  missed.heard.clear();
  assert_true(busy.publish("after").ok());
  stalled.assert_hears(missed, "301=after;");
}

void an_unsubscribed_channel_may_be_subscribed_to_again(void**) {
  ShmNode node;
  contract::Worker one(node);
  for (int i = 0; i < 1000; ++i) {
    const auto subscribed = one.broker->subscribe("news", 0);
    assert_true(subscribed.ok());
    one.broker->unsubscribe(subscribed->ref);
  }
  attached(one).tick();
  assert_int_equal(one.publish("a")->subscribers, 0);
  assert_null(attached(one).zone().check());
}

}  // namespace
}  // namespace paperboy::broker

int main() {
  using namespace paperboy::broker;
  contract::make_node = [] { return std::make_unique<ShmNode>(); };
  const CMUnitTest own[] = {
      cmocka_unit_test(a_worker_in_another_process_is_heard),
      cmocka_unit_test(a_killed_workers_subscribers_are_forgotten),
      cmocka_unit_test(an_overrun_worker_tells_of_a_gap_and_goes_on),
      cmocka_unit_test(an_unsubscribed_channel_may_be_subscribed_to_again),
  };
  const int failed = contract::run() + contract::run_history() +
                     cmocka_run_group_tests_name("shm", own, nullptr, nullptr);
  return failed;
}
