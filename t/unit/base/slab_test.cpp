#include "base/slab.hpp"

#ifdef PAPERBOY_SANITIZE
#include <sanitizer/asan_interface.h>
#endif

#include <cstring>
#include <forward_list>
#include <set>
#include <vector>

#include "test.hpp"

namespace paperboy {

namespace {

void blocks_are_apart_and_aligned(void**) {
  constexpr std::size_t kSize = 40;
  std::vector<void*> blocks;
  for (int i = 0; i < 5000; ++i) {
    blocks.push_back(Slab<kSize>::take());
    std::memset(blocks.back(), i, kSize);
  }
  for (int i = 0; i < 5000; ++i) {
    const auto* const bytes = static_cast<unsigned char*>(blocks[i]);
    assert_int_equal(bytes[0], i & 0xff);
    assert_int_equal(bytes[kSize - 1], i & 0xff);
    assert_int_equal(
        reinterpret_cast<std::uintptr_t>(blocks[i]) % alignof(std::max_align_t),
        0);
  }
  for (void* block : blocks) Slab<kSize>::give(block);
}

#ifdef PAPERBOY_SANITIZE
void what_is_given_back_may_not_be_used(void**) {
  constexpr std::size_t kSize = 72;
  void* const block = Slab<kSize>::take();
  assert_false(__asan_address_is_poisoned(block));
  Slab<kSize>::give(block);
  assert_true(__asan_address_is_poisoned(block));
}
#else
void what_is_given_back_is_taken_again(void**) {
  constexpr std::size_t kSize = 72;
  std::set<void*> first;
  for (int i = 0; i < 100; ++i) first.insert(Slab<kSize>::take());
  for (void* block : first) Slab<kSize>::give(block);
  for (int i = 0; i < 100; ++i)
    assert_true(first.contains(Slab<kSize>::take()));
  for (void* block : first) Slab<kSize>::give(block);
}
#endif

void containers_take_their_nodes_from_it(void**) {
  std::forward_list<int, SlabAllocator<int>> list;
  for (int i = 0; i < 1000; ++i) list.push_front(i);
  int expected = 999;
  for (const int value : list) assert_int_equal(value, expected--);
}

}  // namespace

}  // namespace paperboy

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(paperboy::blocks_are_apart_and_aligned),
#ifdef PAPERBOY_SANITIZE
      cmocka_unit_test(paperboy::what_is_given_back_may_not_be_used),
#else
      cmocka_unit_test(paperboy::what_is_given_back_is_taken_again),
#endif
      cmocka_unit_test(paperboy::containers_take_their_nodes_from_it),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
