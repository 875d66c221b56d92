#include "broker/shm_arena.hpp"

#include <cstring>
#include <random>

#include "shm_support.hpp"

namespace paperboy::broker::shm {
namespace {

struct Ground : TestZone {
  explicit Ground(std::size_t zone_size = 0)
      : TestZone(small_options(), zone_size),
        view(memory.bytes().data()),
        arena(view) {}

  std::optional<Ref> take(std::size_t size, Use use = Use::any) {
    Transaction tx(view);
    const auto ref = arena.allocate(tx, size, use);
    tx.commit();
    return ref;
  }

  void give(Ref ref) {
    Transaction tx(view);
    arena.release(tx, ref);
    tx.commit();
  }

  View view;
  Arena arena;
};

void blocks_are_large_enough_and_apart(void**) {
  Ground ground;
  std::vector<std::pair<Ref, std::size_t>> blocks;
  for (std::size_t size = 1; size <= kMaxBlock; size += 97) {
    const Ref ref = *ground.take(size);
    assert_true(ground.arena.block_size(ref) >= size);
    assert_true(ground.arena.is_taken(ref));
    std::memset(ground.view.block<char>(ref), static_cast<int>(size & 0xff),
                size);
    blocks.emplace_back(ref, size);
  }
  for (const auto& [ref, size] : blocks) {
    const char* bytes = ground.view.block<char>(ref);
    assert_int_equal(bytes[0], static_cast<char>(size & 0xff));
    assert_int_equal(bytes[size - 1], static_cast<char>(size & 0xff));
  }
}

void a_full_arena_says_so_and_is_empty_again(void**) {
  Ground ground;
  const std::size_t all = ground.arena.free();
  std::vector<Ref> refs;
  while (const auto ref = ground.take(64)) {
    refs.push_back(*ref);
  }
  assert_int_equal(refs.size() * 64, all);
  assert_int_equal(ground.arena.used(), all);
  assert_int_equal(ground.arena.free(), 0);
  assert_false(ground.take(4096).has_value());
  for (const Ref ref : refs) ground.give(ref);
  assert_int_equal(ground.arena.free(), all);
  assert_int_equal(ground.arena.used(), 0);
  ground.assert_sound();
}

void an_empty_page_serves_another_size(void**) {
  Ground ground;
  std::vector<Ref> refs;
  while (const auto ref = ground.take(64)) {
    refs.push_back(*ref);
  }
  for (std::size_t i = 0; i < kPageSize / 64; i++) ground.give(refs[i]);
  for (std::size_t i = 0; i < kPageSize / 4096; i++) {
    assert_true(ground.take(4096).has_value());
  }
  assert_false(ground.take(4096).has_value());
}

void the_reserve_is_left_to_those_it_is_for(void**) {
  Ground ground(1 << 20);
  std::vector<Ref> refs;
  while (const auto ref = ground.take(64)) {
    refs.push_back(*ref);
  }
  assert_int_equal(ground.arena.free(), 4 * kPageSize);
  assert_false(ground.take(4096).has_value());
  assert_false(ground.take(64, Use::member).has_value());
  const std::size_t others = refs.size();
  refs.push_back(*ground.take(64, Use::reserve));
  // Nor do others get the rest of a page of it.
  assert_int_equal(ground.arena.free(), 3 * kPageSize);
  assert_false(ground.take(64).has_value());
  while (const auto ref = ground.take(64, Use::reserve)) {
    refs.push_back(*ref);
  }
  assert_int_equal(refs.size() - others, 4 * kPageSize / 64);
  assert_int_equal(ground.arena.free(), 0);
  for (const Ref ref : refs) ground.give(ref);
  assert_int_equal(ground.arena.used(), 0);
  ground.assert_sound();
}

void what_is_no_block_is_not_taken(void**) {
  Ground ground;
  const Ref ref = *ground.take(96);
  assert_false(ground.arena.is_taken(0));
  assert_false(ground.arena.is_taken(ref + 1));
  assert_false(ground.arena.is_taken(ref + 6));
  assert_false(ground.arena.is_taken(UINT32_MAX));
  ground.give(ref);
  assert_false(ground.arena.is_taken(ref));
}

void an_undone_allocation_is_free_again(void**) {
  Ground ground;
  {
    Transaction tx(ground.view);
    assert_true(ground.arena.allocate(tx, 100).has_value());
  }
  assert_int_equal(ground.arena.used(), 0);
  ground.assert_sound();
}

void any_order_of_taking_and_giving_leaves_it_whole(void**) {
  Ground ground;
  std::minstd_rand random(1);
  std::vector<Ref> refs;
  for (int i = 0; i < 20'000; i++) {
    if (random() % 5 < 3) {
      const auto ref = ground.take(1 + random() % kMaxBlock);
      if (ref) refs.push_back(*ref);
    } else if (!refs.empty()) {
      std::swap(refs[random() % refs.size()], refs.back());
      ground.give(refs.back());
      refs.pop_back();
    }
  }
  for (const Ref ref : refs) ground.give(ref);
  assert_int_equal(ground.arena.used(), 0);
  ground.assert_sound();
}

}  // namespace
}  // namespace paperboy::broker::shm

int main() {
  using namespace paperboy::broker::shm;
  const CMUnitTest tests[] = {
      cmocka_unit_test(blocks_are_large_enough_and_apart),
      cmocka_unit_test(a_full_arena_says_so_and_is_empty_again),
      cmocka_unit_test(an_empty_page_serves_another_size),
      cmocka_unit_test(the_reserve_is_left_to_those_it_is_for),
      cmocka_unit_test(what_is_no_block_is_not_taken),
      cmocka_unit_test(an_undone_allocation_is_free_again),
      cmocka_unit_test(any_order_of_taking_and_giving_leaves_it_whole),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
