#include "auth/opaque_table.hpp"

#include <string>

#include "auth/opaque_fakes.hpp"

#include "test.hpp"

namespace paperboy::auth {
namespace {

using Standing = OpaqueTable::Standing;
using Put = OpaqueTable::Put;

constexpr std::int64_t kNow = 1'700'000'000;
constexpr std::uint64_t kKept = 1000;  // publications of the history

TokenHash hash(unsigned n) {
  TokenHash made;
  made.bytes[7] = static_cast<unsigned char>(n);
  made.bytes[6] = static_cast<unsigned char>(n >> 8U);
  made.bytes[31] = 1;
  return made;
}

struct World : TableMemory {
  using TableMemory::TableMemory;

  TokenRecord record(unsigned n, std::int64_t seconds = 100,
                     std::uint32_t sliding = 0) const {
    return {.hash = std::string(hash(n).view()),
            .expires = kNow + seconds,
            .node = table.node(),
            .issued = kNow,
            .sliding = sliding,
            .claims = "{\"sub\":" + std::to_string(n) + "}"};
  }
  Put put(unsigned n, std::int64_t seconds = 100, std::uint32_t sliding = 0,
          std::uint64_t offset = 1) {
    return table.put(record(n, seconds, sliding), {7, offset}, kNow);
  }
  Standing standing(unsigned n, std::int64_t now = kNow) {
    return table.find(hash(n), now).standing;
  }
  /// "put 1 until 100;", "prolong ...", "end ...".
  std::string due(std::uint64_t top, std::int64_t now,
                  std::uint64_t epoch = 7) {
    std::string all;
    const auto due = table.due({epoch, top}, kKept, now);
    for (const TokenRecord& one : due.records) {
      all += one.kind == TokenRecord::Kind::put   ? "put "
             : one.kind == TokenRecord::Kind::end ? "end "
                                                  : "prolong ";
      all += std::to_string(static_cast<unsigned char>(one.hash[7]));
      if (one.kind != TokenRecord::Kind::end) {
        all += " until " + std::to_string(one.expires - kNow);
      }
      all += ';';
      assert_true(one.claims.empty() == (one.kind != TokenRecord::Kind::put));
    }
    return all;
  }
};

void assert_text(const std::string& actual, const char* expected) {
  assert_string_equal(actual.c_str(), expected);
}

void what_was_put_is_found_until_it_expires(void**) {
  World world;
  assert_true(world.standing(1) == Standing::unknown);
  assert_true(world.put(1) == Put::done);
  const auto found = world.table.find(hash(1), kNow + 99);
  assert_true(found.standing == Standing::good);
  assert_text(found.record.claims, "{\"sub\":1}");
  assert_true(found.record.issued == kNow && found.record.sliding == 0);
  assert_true(found.record.expires == kNow + 100);
  assert_true(world.standing(1, kNow + 100) == Standing::unknown);
  assert_true(world.standing(2) == Standing::unknown);
}

// The number is of the first bytes alone; the whole has to be the same.
void a_number_is_no_proof(void**) {
  World world;
  world.put(1);
  TokenHash like = hash(1);
  like.bytes[31] = 2;
  assert_true(like.number() == hash(1).number());
  assert_true(world.table.find(like, kNow).standing == Standing::unknown);
  assert_false(world.table.end(like, {7, 1}, kNow));
  world.table.prolong(like, kNow + 1000);
  assert_true(world.standing(1, kNow + 100) == Standing::unknown);
}

void a_use_prolongs_what_slides_alone(void**) {
  World world;
  world.put(1, 10, 10);
  world.put(2, 10);
  for (const unsigned n : {1U, 2U}) {
    assert_true(world.table.keep(hash(n).number(), kNow + 9).standing ==
                Standing::good);
  }
  assert_true(world.standing(1, kNow + 18) == Standing::good);
  assert_true(world.standing(2, kNow + 10) == Standing::unknown);
  assert_true(world.table.keep(hash(1).number(), kNow + 19).standing ==
              Standing::unknown);
  assert_true(world.table.keep(7, kNow).standing == Standing::unknown);
  assert_true(world.standing(1, kNow + 19) == Standing::unknown);
}

void what_has_ended_stays_so(void**) {
  World world;
  world.put(1, 10, 10);
  assert_true(world.table.end(hash(1), {7, 1}, kNow));
  assert_true(world.standing(1) == Standing::ended);
  assert_true(world.put(1) == Put::over);
  world.table.prolong(hash(1), kNow + 1000);
  assert_true(world.table.keep(hash(1).number(), kNow).standing ==
              Standing::ended);
  assert_false(world.table.end(hash(1), {7, 1}, kNow));
  assert_true(world.standing(1, kNow + OpaqueTable::kMemory - 1) ==
              Standing::ended);
  assert_true(world.standing(1, kNow + OpaqueTable::kMemory) ==
              Standing::unknown);
  assert_false(world.table.end(hash(2), {7, 1}, kNow));
  assert_true(world.standing(2) == Standing::unknown);
}

void said_twice_it_ends_at_the_later_time(void**) {
  World world;
  world.put(1, 100, 100);
  world.put(1, 50, 100);
  assert_true(world.standing(1, kNow + 99) == Standing::good);
  world.put(1, 200, 100);
  assert_true(world.standing(1, kNow + 199) == Standing::good);
  assert_int_equal(world.table.count(), 1);
}

void what_is_over_or_too_large_isnt_taken(void**) {
  World world;
  assert_true(world.put(1, 0) == Put::over);
  TokenRecord large = world.record(1);
  large.claims = std::string(128, 'x');
  assert_true(world.table.fits(large));
  assert_true(world.table.put(large, {7, 1}, kNow) == Put::done);
  large.claims += 'x';
  assert_false(world.table.fits(large));
  large.hash = std::string(hash(2).view());
  assert_true(world.table.put(large, {7, 1}, kNow) == Put::full);
  large.hash.pop_back();
  assert_true(world.table.put(large, {7, 1}, kNow) == Put::over);
}

void a_full_one_says_so(void**) {
  World world;
  unsigned n = 0;
  while (n < 10) {
    assert_true(world.table.has_room());
    assert_true(world.put(++n) == Put::done);
  }
  assert_false(world.table.has_room());
  // Of others, which don't know yet of these.
  while (world.put(++n) == Put::done) assert_true(n < 1000);
  assert_true(n > 50);
  for (unsigned i = 1; i < n; ++i) {
    assert_true(world.standing(i) == Standing::good);
  }
  assert_true(world.standing(n) == Standing::unknown);
}

void room_is_made_of_what_is_over_and_then_of_what_ended(void**) {
  World world;
  unsigned n = 0;
  world.put(1, 10);
  for (n = 2; world.put(n) == Put::done;) ++n;
  const TokenRecord late = {.hash = std::string(hash(900).view()),
                            .expires = kNow + 500,
                            .claims = "{}"};
  assert_true(world.table.put(late, {7, 1}, kNow + 10) == Put::done);
  assert_true(world.put(n) == Put::full);
  world.table.end(hash(3), {7, 1}, kNow + 1);
  world.table.end(hash(2), {7, 1}, kNow);
  assert_true(world.put(n) == Put::done);
  assert_true(world.standing(2) == Standing::unknown);
  assert_true(world.standing(3) == Standing::ended);
  assert_true(world.standing(900) == Standing::good);
}

void once_a_second_the_first_is_told(void**) {
  World world;
  world.put(1, 100, 20);
  assert_text(world.due(1, kNow), "");
  world.table.keep(hash(1).number(), kNow + 95);
  assert_text(world.due(1, kNow + 95), "prolong 1 until 115;");
  assert_text(world.due(1, kNow + 95), "");
  assert_text(world.due(1, kNow + 96), "");
}

// Others know of 100: half of the 20 is left then.
void what_others_know_is_told_anew_in_time(void**) {
  World world;
  world.put(1, 100, 20);
  world.table.keep(hash(1).number(), kNow + 85);
  assert_text(world.due(1, kNow + 86), "");
  assert_text(world.due(1, kNow + 89), "");
  assert_text(world.due(1, kNow + 90), "prolong 1 until 105;");
  world.table.prolong(hash(1), kNow + 130);
  assert_text(world.due(2, kNow + 91), "");
}

void what_couldnt_be_told_is_told_again(void**) {
  World world;
  world.put(1, 100, 20);
  world.table.keep(hash(1).number(), kNow + 99);
  const auto due = world.table.due({7, 1}, kKept, kNow + 99);
  assert_int_equal(due.records.size(), 1);
  world.table.untold(due.records[0]);
  assert_text(world.due(1, kNow + 100), "put 1 until 119;");
}

// As long as nothing could be told, they heard of no use.
void what_others_have_forgotten_is_told_anew(void**) {
  World world;
  world.put(1, 100, 20);
  world.table.keep(hash(1).number(), kNow + 95);
  assert_text(world.due(0, kNow + 99, 0), "");
  assert_text(world.due(1, kNow + 100), "put 1 until 115;");
  world.table.keep(hash(1).number(), kNow + 101);
  assert_text(world.due(1, kNow + 105), "prolong 1 until 121;");
}

void before_it_is_forgotten_it_is_said_again(void**) {
  World world;
  world.put(1);
  assert_text(world.due(501, kNow), "");
  assert_text(world.due(502, kNow + 1), "put 1 until 100;");
  assert_text(world.due(503, kNow + 2), "");
  assert_text(world.due(1003, kNow + 3), "put 1 until 100;");
}

// With a history that may have more, the fewer are good the sooner.
void where_few_are_good_few_records_do(void**) {
  World world;
  world.put(1);
  constexpr std::uint64_t kMore = 40'000;
  assert_int_equal(world.table.due({7, 503}, kMore, kNow).records.size(), 0);
  assert_int_equal(world.table.due({7, 504}, kMore, kNow + 1).records.size(),
                   1);
}

void what_was_said_before_the_oldest_is_needless(void**) {
  World world;
  const auto needless = [&](std::uint64_t top, std::int64_t now,
                            std::uint64_t epoch = 7) {
    return world.table.due({epoch, top}, kKept, now).needless;
  };
  assert_int_equal(needless(20, kNow), 20);
  world.put(1, 100, 0, 21);
  world.put(2, 1000, 0, 25);
  assert_int_equal(needless(30, kNow + 1), 20);
  assert_int_equal(needless(10, kNow + 2), 10);
  assert_int_equal(needless(30, kNow + 3, 0), 0);
  assert_int_equal(needless(30, kNow + 100), 24);
  // Of another history nothing is known.
  assert_int_equal(needless(30, kNow + 101, 8), 0);
  assert_true(world.table.end(hash(2), {8, 31}, kNow + 102));
  assert_int_equal(needless(40, kNow + 103, 8), 40);
}

// Until it is told again, the record that it was counts.
void what_is_said_again_is_needed_till_then(void**) {
  World world;
  world.put(1, 100, 0, 5);
  auto due = world.table.due({7, 600}, kKept, kNow);
  assert_int_equal(due.records.size(), 1);
  assert_int_equal(due.needless, 4);
  due = world.table.due({7, 601}, kKept, kNow + 1);
  assert_int_equal(due.needless, 599);
}

void others_wait_longer(void**) {
  World world;
  TokenRecord theirs = world.record(1);
  theirs.node += 1;
  assert_true(world.table.put(theirs, {7, 1}, kNow) == Put::done);
  assert_text(world.due(751, kNow), "");
  assert_text(world.due(752, kNow + 1), "put 1 until 100;");
  // Until it hears that it was it that said so last.
  assert_text(world.due(1400, kNow + 2), "");
  world.put(1, 100, 0, 753);
  assert_text(world.due(1400, kNow + 3), "put 1 until 100;");
  assert_true(world.table.put(theirs, {7, 1401}, kNow) == Put::done);
  assert_text(world.due(1950, kNow + 4), "");
}

void another_history_is_told_all(void**) {
  World world;
  world.put(1);
  TokenRecord theirs = world.record(2);
  theirs.node += 1;
  world.table.put(theirs, {7, 2}, kNow);
  world.put(3);
  world.table.end(hash(3), {7, 1}, kNow);
  assert_text(world.due(3, kNow), "");
  const std::string said = world.due(0, kNow + 1, 8);
  assert_true(said.find("put 1 ") != std::string::npos);
  assert_true(said.find("end 3;") != std::string::npos);
  assert_true(said.find("put 2 ") == std::string::npos);
  assert_text(world.due(2, kNow + 2, 8), "");
  assert_text(world.due(2, kNow + 11, 8), "put 2 until 100;");
}

void a_history_that_is_lost_is_told_all(void**) {
  World world;
  assert_false(world.table.begin_probe(kNow));
  world.put(1);
  assert_true(world.table.begin_probe(kNow));
  assert_false(world.table.begin_probe(kNow + 4));
  assert_true(world.table.begin_probe(kNow + 5));
  assert_true(world.table.begin_probe(kNow));  // time was set back
  assert_text(world.due(1, kNow), "");
  world.table.lose_history(kNow);
  assert_text(world.due(1, kNow + 1), "put 1 until 100;");
  assert_text(world.due(1, kNow + 2), "");
}

// It comes from before that one began: an answer, or what wasn't taken yet.
void what_was_said_in_another_history_is_told(void**) {
  World world;
  world.put(1);
  assert_text(world.due(5000, kNow), "put 1 until 100;");
  assert_text(world.due(0, kNow + 1, 8), "put 1 until 100;");
  assert_true(world.table.put(world.record(2), {7, 5001}, kNow) == Put::done);
  assert_true(world.table.put(world.record(1), {7, 5002}, kNow) == Put::done);
  assert_text(world.due(1, kNow + 2, 8), "put 2 until 100;");
  assert_text(world.due(2, kNow + 3, 8), "");
  assert_text(world.due(503, kNow + 4, 8), "put 1 until 100;put 2 until 100;");
}

// Whoever told the token again didn't know of it yet.
void an_end_is_told_again_behind_what_was_said_after_it(void**) {
  World world;
  world.put(1);
  world.put(2, 100, 0, 4);
  for (const unsigned n : {1U, 2U, 3U}) {
    world.table.confirm_end(hash(n), {7, 9});
  }
  assert_true(world.table.end(hash(1), {7, 4}, kNow));
  assert_true(world.table.put(world.record(1), {7, 2}, kNow) == Put::over);
  world.table.confirm_end(hash(1), {7, 4});
  assert_text(world.due(4, kNow), "");
  world.table.confirm_end(hash(1), {7, 5});
  assert_true(world.standing(1) == Standing::ended);
  assert_true(world.standing(2) == Standing::good);
  // The end before has to stay till then, if that can't be told.
  auto due = world.table.due({7, 5}, kKept, kNow + 1);
  assert_int_equal(due.records.size(), 1);
  assert_true(due.records[0].kind == TokenRecord::Kind::end);
  assert_int_equal(due.needless, 0);
  world.table.untold(due.records[0]);
  assert_text(world.due(5, kNow + 2), "end 1;");
  assert_text(world.due(6, kNow + 3), "");
  world.table.confirm_end(hash(1), {});
  assert_text(world.due(7, kNow + 4), "end 1;");
  assert_int_equal(world.table.due({7, 8}, kKept, kNow + 5).needless, 3);
}

void where_it_isnt_known_nothing_is_told(void**) {
  World world;
  world.put(1, 100, 20);
  world.table.keep(hash(1).number(), kNow + 99);
  assert_text(world.due(0, kNow + 98, 0), "");
  assert_text(world.due(1, kNow + 99), "prolong 1 until 119;");
}

void a_quiet_history_is_kept_alive(void**) {
  World world;
  assert_text(world.due(5, kNow), "");
  assert_text(world.due(5, kNow + 90), "");
  world.put(1, 1000, 0, 5);
  assert_text(world.due(6, kNow + 91), "");
  assert_text(world.due(6, kNow + 150), "");
  assert_text(world.due(6, kNow + 151), "put 1 until 1000;");
  assert_text(world.due(7, kNow + 152), "");
}

// A thousand in a table of sixty.
void what_comes_and_goes_leaves_no_trace(void**) {
  World world;
  for (unsigned round = 0; round < 20; ++round) {
    const std::int64_t now = kNow + round * 1000;
    for (unsigned n = 0; n < 60; ++n) {
      TokenRecord one = world.record(round * 60 + n + 1);
      one.expires = now + 100;
      assert_true(world.table.put(one, {7, 1}, now) == Put::done);
      if (n % 3 == 0) world.table.end(hash(round * 60 + n + 1), {7, 1}, now);
    }
    for (unsigned n = 0; n < 60; ++n) {
      assert_true(world.standing(round * 60 + n + 1, now) ==
                  (n % 3 == 0 ? Standing::ended : Standing::good));
    }
    world.due(1, now + 900);
    assert_int_equal(world.table.count(), 0);
  }
}

void another_view_sees_the_same(void**) {
  World world;
  world.put(1);
  OpaqueTable other;
  assert_false(other.complete());
  assert_int_equal(other.count(), 0);
  other.attach({world.memory, world.size});
  assert_true(other.find(hash(1), kNow).standing == Standing::good);
  assert_false(other.complete());
  world.table.set_complete();
  assert_true(other.complete());
  assert_true(other.node() == world.table.node());
  assert_true(other.end(hash(1), {7, 1}, kNow));
  assert_true(world.standing(1) == Standing::ended);
}

}  // namespace
}  // namespace paperboy::auth

int main() {
  using namespace paperboy::auth;
  const CMUnitTest tests[] = {
      cmocka_unit_test(what_was_put_is_found_until_it_expires),
      cmocka_unit_test(a_number_is_no_proof),
      cmocka_unit_test(a_use_prolongs_what_slides_alone),
      cmocka_unit_test(what_has_ended_stays_so),
      cmocka_unit_test(said_twice_it_ends_at_the_later_time),
      cmocka_unit_test(what_is_over_or_too_large_isnt_taken),
      cmocka_unit_test(a_full_one_says_so),
      cmocka_unit_test(room_is_made_of_what_is_over_and_then_of_what_ended),
      cmocka_unit_test(once_a_second_the_first_is_told),
      cmocka_unit_test(what_others_know_is_told_anew_in_time),
      cmocka_unit_test(what_couldnt_be_told_is_told_again),
      cmocka_unit_test(what_others_have_forgotten_is_told_anew),
      cmocka_unit_test(before_it_is_forgotten_it_is_said_again),
      cmocka_unit_test(where_few_are_good_few_records_do),
      cmocka_unit_test(what_was_said_before_the_oldest_is_needless),
      cmocka_unit_test(what_is_said_again_is_needed_till_then),
      cmocka_unit_test(others_wait_longer),
      cmocka_unit_test(another_history_is_told_all),
      cmocka_unit_test(a_history_that_is_lost_is_told_all),
      cmocka_unit_test(what_was_said_in_another_history_is_told),
      cmocka_unit_test(an_end_is_told_again_behind_what_was_said_after_it),
      cmocka_unit_test(where_it_isnt_known_nothing_is_told),
      cmocka_unit_test(a_quiet_history_is_kept_alive),
      cmocka_unit_test(what_comes_and_goes_leaves_no_trace),
      cmocka_unit_test(another_view_sees_the_same),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
