#include "broker/redis_readiness.hpp"

#include <string>

#include "test.hpp"

namespace paperboy::broker::redis {
namespace {

std::string reasons(const NodeHealth& health) {
  std::string all;
  for (const Bytes reason : reasons_not_ready(health)) {
    all.append(reason).append(" ");
  }
  return all;
}

void alone_a_node_is_ready_until_it_leaves(void**) {
  assert_string_equal(reasons({}).c_str(), "");
  assert_string_equal(reasons({.leaving = true}).c_str(), "leaving ");
}

void what_redis_is_like_is_nothing_to_a_node_without(void**) {
  assert_string_equal(reasons({.relays = 3, .proved = 0}).c_str(), "");
}

void what_was_revoked_has_to_be_known(void**) {
  assert_string_equal(reasons({.knows_revocations = false}).c_str(),
                      "revocations ");
  assert_string_equal(reasons({.knows_tokens = false}).c_str(),
                      "opaque_tokens ");
}

void with_redis_it_has_to_be_proved_to_every_worker(void**) {
  const auto of = [](std::size_t relays, std::size_t workers,
                     std::size_t proved) {
    return reasons({.has_redis = true,
                    .relays = relays,
                    .workers = workers,
                    .proved = proved});
  };
  assert_string_equal(of(1, 1, 1).c_str(), "");
  assert_string_equal(of(4, 4, 4).c_str(), "");
  assert_string_equal(of(4, 4, 3).c_str(), "redis_delivery ");
  assert_string_equal(of(3, 4, 3).c_str(), "redis_delivery ");
  assert_string_equal(of(4, 4, 0).c_str(), "redis_delivery ");
  assert_string_equal(of(0, 4, 0).c_str(), "redis_no_relay ");
}

void every_worker_has_to_reach_the_back_ends(void**) {
  const auto of = [](std::size_t askers, std::size_t ready) {
    return reasons(
        {.has_back_ends = true, .askers = askers, .askers_ready = ready});
  };
  assert_string_equal(of(2, 2).c_str(), "");
  assert_string_equal(of(2, 1).c_str(), "classic_redis ");
  assert_string_equal(of(0, 0).c_str(), "classic_redis ");
  assert_string_equal(reasons({.askers = 2, .askers_ready = 1}).c_str(), "");
}

void all_reasons_are_told(void**) {
  const NodeHealth health{.leaving = true,
                          .has_redis = true,
                          .relays = 1,
                          .workers = 2,
                          .proved = 1,
                          .has_back_ends = true};
  assert_string_equal(reasons(health).c_str(),
                      "leaving redis_delivery classic_redis ");
}

}  // namespace
}  // namespace paperboy::broker::redis

int main() {
  using namespace paperboy::broker::redis;
  const CMUnitTest tests[] = {
      cmocka_unit_test(alone_a_node_is_ready_until_it_leaves),
      cmocka_unit_test(what_redis_is_like_is_nothing_to_a_node_without),
      cmocka_unit_test(with_redis_it_has_to_be_proved_to_every_worker),
      cmocka_unit_test(what_was_revoked_has_to_be_known),
      cmocka_unit_test(every_worker_has_to_reach_the_back_ends),
      cmocka_unit_test(all_reasons_are_told),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
