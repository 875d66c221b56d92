// kill -9 at every step (shm_kill.hpp) of a publish with an idempotency key:
// whoever tries again publishes it if it wasn't, and only then.

#include "shm_kill.hpp"

namespace paperboy::broker::shm {
namespace {

Result<Published> publish(Scene& scene, Bytes key) {
  return scene.zone().publish({.channel = "news",
                               .data = key,
                               .keep = {.count = 10},
                               .idempotency_key = key,
                               .idempotency_ms = 1000});
}

void publish_it(Scene& scene, SeatIndex) { (void)publish(scene, "it"); }
void sweep(Scene& scene, SeatIndex) { scene.zone().sweep(); }

void some_over_their_time(Scene& scene) {
  for (const char* key : {"a", "b", "it"}) (void)publish(scene, key);
  scene.it.clock.now += 2000;
}

/// After a retry, what was published last is "it", once.
void assert_once(Scene& scene, const char* what) {
  const std::uint64_t before = scene.zone().position("news")->offset;
  const auto retried = publish(scene, "it").value();
  const bool was_there = scene.top.offset == before && retried.repeated;
  const std::uint64_t after = scene.zone().position("news")->offset;
  if (retried.repeated ? !was_there || after != before : after != before + 1) {
    fail_msg("%s: offset %zu, then %zu", what, before, after);
  }
  std::size_t times = 0;
  const auto page = scene.zone().history("news", {}).value();
  for (const auto& kept : page.publications) times += kept.data == "it" ? 1 : 0;
  // One may be of the time before, whose key is over.
  const bool twice = page.publications.size() > 2;
  if (times != (twice ? 2U : 1U)) fail_msg("%s: %zu times", what, times);
}

void any_step_of_a_keyed_publish(void**) {
  kill_at_any_step(
      {
          {"publish with a key", nothing, nothing_either, publish_it},
          {"publish with a key that is over", some_over_their_time,
           nothing_either, publish_it},
      },
      assert_once);
}

void any_step_of_sweeping_keys(void**) {
  kill_at_any_step(
      {{"sweep keys", some_over_their_time, nothing_either, sweep}});
}

}  // namespace
}  // namespace paperboy::broker::shm

int main() {
  using namespace paperboy::broker::shm;
  const CMUnitTest tests[] = {
      cmocka_unit_test(any_step_of_a_keyed_publish),
      cmocka_unit_test(any_step_of_sweeping_keys),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
