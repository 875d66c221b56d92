#include "auth/revocations.hpp"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "auth/opaque_token.hpp"

#include "test.hpp"

namespace paperboy::auth {
namespace {

constexpr std::int64_t kNow = 1'700'000'000;
constexpr auto kLater = static_cast<std::uint32_t>(kNow + 100);

struct World {
  explicit World(std::size_t most = 100)
      : size(Revocations::size_for(most)),
        memory(static_cast<std::byte*>(
            ::operator new(size, std::align_val_t(64)))) {
    std::memset(memory, 0, size);
    assert_true(Revocations::format({memory, size}));
    all.attach({memory, size});
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World() { ::operator delete(memory, std::align_val_t(64)); }

  bool add(const Revocation& one) { return all.add(one, kNow); }
  bool revokes(Bytes user, Bytes id, std::int64_t issued, Bytes channel = {},
               std::int64_t now = kNow, Bytes space = {}) {
    const auto mark = all.mark(id, issued);
    const auto of = all.number(space);
    const auto who = all.number(user);
    return channel.empty()
               ? all.revokes(of, who, mark, now)
               : all.revokes(of, who, mark, all.number(channel), now);
  }

  std::size_t size;
  std::byte* memory;
  Revocations all;
};

void without_a_table_nothing_is_revoked(void**) {
  const Revocations none;
  assert_true(none.empty());
  assert_false(none.complete());
  assert_false(none.revokes(none.number(""), none.number("ann"),
                            none.mark("id", 1), kNow));
}

void a_token_is_known_by_its_id(void**) {
  World world;
  assert_true(world.all.empty());
  assert_true(world.add({.token = "a", .until = kLater}));
  assert_false(world.all.empty());
  assert_true(world.revokes("ann", "a", 5));
  assert_true(world.revokes("", "a", 0));
  assert_false(world.revokes("ann", "b", 5));
  assert_false(world.revokes("ann", "", 5));
  assert_false(world.revokes("ann", "a", 5, {}, kNow, "shop"));
  assert_true(world.revokes("ann", "a", 5, "news"));
}

void of_a_user_what_was_issued_before(void**) {
  World world;
  assert_true(world.add({.user = "ann", .before = 1000, .until = kLater}));
  assert_true(world.revokes("ann", "", 999));
  assert_true(world.revokes("ann", "x", 999));
  assert_false(world.revokes("ann", "", 1000));
  assert_false(world.revokes("bob", "", 999));
  assert_true(world.revokes("ann", "", 0));  // it doesn't say when
  assert_false(world.revokes("", "", 999));
}

void nobody_is_somebody_too(void**) {
  World world;
  assert_true(world.add({.user = "", .until = kLater}));
  assert_true(world.revokes("", "", 5));
  assert_false(world.revokes("ann", "", 5));
}

void all_that_is_older(void**) {
  World world;
  assert_true(world.add({.before = 1000, .until = kLater}));
  assert_true(world.revokes("ann", "", 999));
  assert_true(world.revokes("bob", "b", 1));
  assert_false(world.revokes("bob", "b", 1000));
}

void what_is_named_together_has_to_be_met_together(void**) {
  World world;
  assert_true(world.add({.token = "a", .user = "ann", .until = kLater}));
  assert_true(world.revokes("ann", "a", 5));
  assert_false(world.revokes("bob", "a", 5));
  assert_false(world.revokes("ann", "b", 5));
}

void a_channel_alone_is_taken(void**) {
  World world;
  assert_true(world.add({.user = "ann", .channel = "news", .until = kLater}));
  assert_false(world.revokes("ann", "", 5));
  assert_true(world.revokes("ann", "", 5, "news"));
  assert_false(world.revokes("ann", "", 5, "chat"));
  assert_false(world.revokes("bob", "", 5, "news"));
  assert_true(world.add({.channel = "chat", .before = 9, .until = kLater}));
  assert_true(world.revokes("bob", "b", 8, "chat"));
  assert_false(world.revokes("bob", "b", 9, "chat"));
}

void who_has_no_token_is_let_be(void**) {
  World world;
  assert_true(world.add({.user = "ann", .until = kLater}));
  assert_false(world.all.revokes(world.all.number(""), world.all.number("ann"),
                                 TokenMark{}, kNow));
}

void it_is_forgotten_in_time(void**) {
  World world;
  assert_true(world.add({.token = "a", .until = kLater}));
  assert_true(world.revokes("ann", "a", 5, {}, kNow + 99));
  assert_false(world.revokes("ann", "a", 5, {}, kNow + 100));
  world.all.sweep(kNow + 50);
  assert_false(world.all.empty());
  world.all.sweep(kNow + 100);
  assert_true(world.all.empty());
}

void two_of_the_same_add_up(void**) {
  World world;
  const Revocation first{.user = "ann", .before = 50, .until = kLater};
  assert_false(world.all.covers(first));
  assert_true(world.add(first));
  assert_true(world.all.covers(first));
  assert_true(world.add({.user = "ann", .before = 20, .until = kLater + 100}));
  assert_true(world.all.covers(first));
  assert_true(world.revokes("ann", "", 49, {}, kNow + 150));
  assert_false(world.revokes("ann", "", 50));
  assert_int_equal(world.all.stats(kNow).entries, 1);
}

void a_full_table_says_so_and_makes_room_of_what_is_over(void**) {
  constexpr int kMost = 100;
  World world(kMost);
  int room = 0;
  while (world.add({.token = "t" + std::to_string(room), .until = kLater})) {
    ++room;
  }
  assert_true(room >= kMost);
  assert_true(room < 2 * kMost);
  for (int i = 0; i < room; ++i) {
    assert_true(world.revokes("", "t" + std::to_string(i), 0));
  }
  assert_false(world.all.complete());
  world.all.set_complete();
  assert_true(world.add({.token = "t0", .until = kLater}));  // known already
  assert_true(world.all.complete());
  assert_false(world.add({.token = "one more", .until = kLater}));
  assert_false(world.all.complete());
  assert_true(
      world.all.add({.token = "new", .until = kLater + 100}, kNow + 100));
  assert_true(world.revokes("", "new", 0, {}, kNow + 100));
  assert_int_equal(world.all.stats(kNow + 100).entries, 1);
}

/// A table is used for years.
void what_comes_and_goes_leaves_no_trace(void**) {
  World world(50);
  std::int64_t now = kNow;
  for (int i = 0; i < 5000; ++i, now += 10) {
    const auto until = static_cast<std::uint32_t>(now + 100);
    const std::string id = std::to_string(i);
    assert_true(world.all.add({.token = id, .until = until}, now));
    assert_true(world.revokes("", id, 0, {}, now));
    if (i > 20) {
      assert_false(world.revokes("", std::to_string(i - 20), 0, {}, now));
    }
  }
}

void another_view_sees_the_same(void**) {
  World world;
  Revocations other;
  other.attach({world.memory, world.size});
  assert_true(world.add({.token = "a", .until = kLater}));
  assert_true(other.revokes(other.number(""), other.number("ann"),
                            other.mark("a", 0), kNow));
  assert_false(other.complete());
  world.all.set_complete();
  assert_true(other.complete());
}

// It isn't known by its text, as others are, but by what it is kept under.
void an_opaque_token_is_known_by_its_id_too(void**) {
  World world;
  const std::string one = "pbo_" + std::string(32, 'A');
  Token token;
  token.opaque = hash_of("shop", one)->number();
  token.issued = 70;
  const TokenMark mark = mark_of(&world.all, token);
  assert_true(mark.opaque && mark.known && mark.id == token.opaque);
  assert_int_equal(mark.issued, 70);
  assert_true(mark_of(nullptr, token).opaque);
  assert_false(mark_of(nullptr, Token{}).known);
  const auto revoked = [&](Bytes space) {
    return world.all.revokes(world.all.number(space), world.all.number("ann"),
                             mark, kNow);
  };
  assert_true(world.add({.token = *id_of(one), .until = kLater}));
  assert_false(revoked("shop"));
  assert_true(
      world.add({.name_space = "shop", .token = *id_of(one), .until = kLater}));
  assert_true(revoked("shop"));
  assert_false(revoked(""));
}

/// In memory that processes share.
Revocations& make_shared_table(std::size_t size) {
  auto* const memory =
      static_cast<std::byte*>(mmap(nullptr, size, PROT_READ | PROT_WRITE,
                                   MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  assert_true(memory != MAP_FAILED);
  assert_true(Revocations::format({memory, size}));
  static Revocations all;
  all.attach({memory, size});
  return all;
}

void who_is_killed_in_it_leaves_it_to_others(void**) {
  Revocations& all = make_shared_table(Revocations::size_for(2000));
  const Revocation first{.token = "first", .until = kLater};
  assert_true(all.add(first, kNow));
  for (unsigned round = 0; round < 50; ++round) {
    const pid_t child = fork();
    assert_true(child >= 0);
    while (child == 0) {
      for (unsigned n = 0; n < 1000; ++n) {
        (void)all.add({.token = std::to_string(n), .until = kLater}, kNow);
      }
      all.sweep(kNow);
    }
    usleep(1000 + round * 37);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, nullptr, 0), child);
    const Revocation one{.token = "t" + std::to_string(round), .until = kLater};
    assert_true(all.add(one, kNow));
    assert_true(all.covers(first) && all.covers(one));
  }
}

/// In a table that is nearly full each addition fills the other half anew.
void what_holds_is_found_while_others_come_and_go(void**) {
  World world(8);
  assert_true(world.add({.token = "kept", .before = 1000, .until = kLater}));
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (std::uint32_t i = 0; i < 300'000; ++i) {
      const std::int64_t now = 1000 + i;
      (void)world.all.add({.token = std::to_string(i),
                           .before = 1000,
                           .until = static_cast<std::uint32_t>(now) + 2},
                          now);
    }
    done = true;
  });
  std::uint64_t missed = 0;
  while (!done) missed += world.revokes("", "kept", 10) ? 0 : 1;
  writer.join();
  assert_int_equal(missed, 0);
}

}  // namespace
}  // namespace paperboy::auth

int main() {
  using namespace paperboy::auth;
  const CMUnitTest tests[] = {
      cmocka_unit_test(without_a_table_nothing_is_revoked),
      cmocka_unit_test(a_token_is_known_by_its_id),
      cmocka_unit_test(of_a_user_what_was_issued_before),
      cmocka_unit_test(nobody_is_somebody_too),
      cmocka_unit_test(all_that_is_older),
      cmocka_unit_test(what_is_named_together_has_to_be_met_together),
      cmocka_unit_test(a_channel_alone_is_taken),
      cmocka_unit_test(who_has_no_token_is_let_be),
      cmocka_unit_test(it_is_forgotten_in_time),
      cmocka_unit_test(two_of_the_same_add_up),
      cmocka_unit_test(a_full_table_says_so_and_makes_room_of_what_is_over),
      cmocka_unit_test(what_comes_and_goes_leaves_no_trace),
      cmocka_unit_test(another_view_sees_the_same),
      cmocka_unit_test(an_opaque_token_is_known_by_its_id_too),
      cmocka_unit_test(who_is_killed_in_it_leaves_it_to_others),
      cmocka_unit_test(what_holds_is_found_while_others_come_and_go),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
