#include "broker/redis_evidence.hpp"

#include "shm_support.hpp"

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

bool any(Bucket) { return true; }

void the_most_that_was_seen_counts(void**) {
  Evidence evidence(nullptr);
  assert_seen(evidence, "", "", 0);
  evidence.note_answer(7, "g", "a", 10);
  evidence.note_message(7, "a", 12);
  evidence.note_answer(7, "g", "a", 11);
  assert_seen(evidence, "g", "a", 12);
}

void a_server_may_change_its_id(void**) {
  Evidence evidence(nullptr);
  evidence.note_answer(7, "g", "a", 10);
  evidence.note_message(7, "b", 12);
  assert_seen(evidence, "g", "b", 12);
  // Of a call that was made before.
  evidence.note_answer(7, "g", "a", 11);
  assert_seen(evidence, "g", "b", 12);
}

void what_another_server_says_takes_nothing_back(void**) {
  Evidence evidence(nullptr);
  evidence.note_answer(7, "g", "a", 10);
  evidence.reconnected(any);
  evidence.note_message(7, "b", 12);
  assert_seen(evidence, "g", "a", 10);
  evidence.note_answer(7, "g", "b", 8);
  assert_seen(evidence, "g", "b", 8);
  evidence.note_message(7, "b", 9);
  assert_seen(evidence, "g", "b", 9);
}

void another_generation_begins_anew(void**) {
  Evidence evidence(nullptr);
  evidence.note_answer(7, "g", "a", 10);
  evidence.note_answer(7, "h", "a", 3);
  assert_seen(evidence, "h", "a", 3);
}

const std::string kA = "0000000000000a0a";
const std::string kB(16, 'b');

void the_next_worker_begins_with_it(void**) {
  shm::TestZone it;
  {
    Evidence before(&it.zone);
    before.note_answer(7, "3-abc", kA, 10);
    before.note_message(7, kA, 12);
  }
  Evidence next(&it.zone);
  assert_seen(next, "", "", 0);
  next.reconnected([](Bucket bucket) { return bucket == 6; });
  assert_seen(next, "", "", 0);
  next.reconnected(any);
  assert_seen(next, "3-abc", kA, 12);
}

/// Even the first of its connections may be to a server that hasn't all.
void no_message_counts_before_a_script(void**) {
  shm::TestZone it;
  Evidence before(&it.zone);
  before.note_answer(7, "3-abc", kA, 10);
  Evidence next(&it.zone);
  next.reconnected(any);
  next.note_message(7, kB, 13);
  assert_seen(next, "3-abc", kA, 10);
  next.note_answer(7, "3-abc", kB, 11);
  next.note_message(7, kB, 13);
  assert_seen(next, "3-abc", kB, 13);
}

void who_connects_takes_what_the_others_saw(void**) {
  shm::TestZone it;
  Evidence one(&it.zone);
  Evidence other(&it.zone);
  one.note_answer(7, "3-abc", kA, 10);
  other.note_answer(7, "3-abc", kA, 12);
  one.note_answer(7, "3-abc", kA, 11);
  assert_seen(one, "3-abc", kA, 11);
  one.reconnected(any);
  assert_seen(one, "3-abc", kA, 12);
  other.note_answer(7, "4-cba", kB, 2);
  one.note_answer(7, "3-abc", kA, 13);
  one.reconnected(any);
  assert_seen(one, "4-cba", kB, 2);
}

/// The old server went on taking messages when the others had left it. The new
/// one hasn't those, and has had as many of its own.
void what_it_saw_on_another_server_than_the_others_stays(void**) {
  shm::TestZone it;
  Evidence one(&it.zone);
  Evidence other(&it.zone);
  one.note_answer(7, "3-abc", kA, 10);
  one.note_message(7, kA, 12);
  other.note_answer(7, "3-abc", kB, 15);
  one.reconnected(any);
  assert_seen(one, "3-abc", kA, 12);
  one.reconnected(any);
  assert_seen(one, "3-abc", kA, 12);
  other.note_answer(7, "4-cba", kB, 15);
  one.reconnected(any);
  assert_seen(one, "4-cba", kB, 15);
}

/// It is of no worker that is there: the zone may know better by now.
void what_it_took_over_gives_way(void**) {
  shm::TestZone it;
  Evidence one(&it.zone);
  Evidence other(&it.zone);
  other.note_answer(7, "3-abc", kA, 10);
  one.reconnected(any);
  other.note_answer(7, "3-abc", kB, 15);
  one.reconnected(any);
  assert_seen(one, "3-abc", kB, 15);
}

/// Whoever writes that to a bucket: it isn't mistaken for another.
void what_has_another_form_isnt_kept(void**) {
  shm::TestZone it;
  for (const char* generation :
       {"", "g", "-1", "0-1", "01-1", "1-", "1-0x1", "1-A", "1-1-1", "x-1"}) {
    Evidence evidence(&it.zone);
    evidence.note_answer(7, generation, kA, 10);
    evidence.reconnected(any);
    assert_seen(evidence, generation, kA, 10);
  }
  for (const char* id : {"", "a", "000000000000000g", "00000000000000a0a"}) {
    Evidence evidence(&it.zone);
    evidence.note_answer(7, "1-1", id, 10);
  }
  assert_true(it.zone.sightings().value()[7] == shm::Sighting{});
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
      cmocka_unit_test(the_next_worker_begins_with_it),
      cmocka_unit_test(no_message_counts_before_a_script),
      cmocka_unit_test(who_connects_takes_what_the_others_saw),
      cmocka_unit_test(what_it_saw_on_another_server_than_the_others_stays),
      cmocka_unit_test(what_it_took_over_gives_way),
      cmocka_unit_test(what_has_another_form_isnt_kept),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
