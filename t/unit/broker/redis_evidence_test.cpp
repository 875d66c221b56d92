#include "broker/redis_evidence.hpp"

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::broker::redis {
namespace {

void assert_seen(const Evidence& evidence, Bytes generation, Bytes id,
                 std::uint64_t sequence) {
  const Seen& seen = evidence.of(7);
  assert_true(seen.generation == generation);
  assert_true(seen.replication_id == id);
  assert_int_equal(seen.sequence, sequence);
}

void the_most_that_was_seen_counts(void**) {
  Evidence evidence;
  assert_seen(evidence, "", "", 0);
  evidence.note_answer(7, "g", "a", 10);
  evidence.note_message(7, "a", 12);
  evidence.note_answer(7, "g", "a", 11);
  assert_seen(evidence, "g", "a", 12);
}

void a_server_may_change_its_id(void**) {
  Evidence evidence;
  evidence.note_answer(7, "g", "a", 10);
  evidence.note_message(7, "b", 12);
  assert_seen(evidence, "g", "b", 12);
  // Of a call that was made before.
  evidence.note_answer(7, "g", "a", 11);
  assert_seen(evidence, "g", "b", 12);
}

void what_another_server_says_takes_nothing_back(void**) {
  Evidence evidence;
  evidence.note_answer(7, "g", "a", 10);
  evidence.reconnected();
  evidence.note_message(7, "b", 12);
  assert_seen(evidence, "g", "a", 10);
  evidence.note_answer(7, "g", "b", 8);
  assert_seen(evidence, "g", "b", 8);
  evidence.note_message(7, "b", 9);
  assert_seen(evidence, "g", "b", 9);
}

void another_generation_begins_anew(void**) {
  Evidence evidence;
  evidence.note_answer(7, "g", "a", 10);
  evidence.note_answer(7, "h", "a", 3);
  assert_seen(evidence, "h", "a", 3);
}

}  // namespace
}  // namespace paperboy::broker::redis

int main() {
  using namespace paperboy::broker::redis;
  const CMUnitTest tests[] = {
      cmocka_unit_test(the_most_that_was_seen_counts),
      cmocka_unit_test(a_server_may_change_its_id),
      cmocka_unit_test(what_another_server_says_takes_nothing_back),
      cmocka_unit_test(another_generation_begins_anew),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
