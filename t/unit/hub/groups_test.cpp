#include "hub/groups.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "hub/listener.hpp"

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::hub {
namespace {

constexpr Position kThere{};

/// Some who listen, and what they take.
struct Fixture {
  /// "0:ab 1:c@5 2:", a letter for each of a group, and what it begins after.
  [[nodiscard]] std::string said() const {
    std::string text;
    std::size_t number = 0;
    for (const Group& group : groups) {
      if (number > 0) text += ' ';
      text += std::to_string(number++) + (group.encoder == &lines ? ":" : "!");
      for (const Subscription* const one : group.members) {
        text += letter(*one);
      }
      if (group.after.epoch != 0) {
        text += "@" + std::to_string(group.after.offset);
      }
    }
    return text;
  }
  [[nodiscard]] char letter(const Subscription& of) const {
    std::size_t i = 0;
    while (&listeners[i].subscription != &of) ++i;
    return static_cast<char>('a' + i);
  }
  Subscription& operator[](char letter) {
    return listeners[static_cast<std::size_t>(letter - 'a')].subscription;
  }
  void put(char letter, const Position& after = kThere) {
    groups.put((*this)[letter], lines, after);
  }
  void take(char letter) {
    assert_ptr_equal(&groups.take((*this)[letter]), &lines);
  }

  std::array<Listener, 8> listeners;
  Lines lines;
  Lines others;
  Groups groups;
};

void assert_said(const Fixture& f, const char* expected) {
  assert_string_equal(f.said().c_str(), expected);
}

void one_alone_needs_nothing_beside_it(void**) {
  static_assert(sizeof(Groups) == 2 * sizeof(void*));
  Fixture f;
  assert_true(f.groups.empty());
  assert_int_equal(f.groups.size(), 0);
  f.put('a');
  assert_said(f, "0:a");
  assert_false(f.groups.empty());
  f.take('a');
  assert_true(f.groups.empty());
  assert_said(f, "");
  f.groups.put(f['b'], f.others, kThere);
  assert_said(f, "0!b");
  assert_ptr_equal(&f.groups.take(f['b']), &f.others);
}

void those_who_take_the_same_are_together(void**) {
  Fixture f;
  for (const char one : {'a', 'b', 'c', 'd'}) f.put(one);
  assert_said(f, "0:abcd");
  f.take('b');
  assert_said(f, "0:adc");
  f.take('c');
  f.take('a');
  assert_said(f, "0:d");
  f.put('a');
  assert_said(f, "0:da");
  f.take('d');
  f.take('a');
  assert_true(f.groups.empty());
}

void who_takes_something_else_is_apart(void**) {
  Fixture f;
  f.put('a');
  f.groups.put(f['b'], f.others, kThere);
  f.put('c');
  assert_said(f, "0:ac 1!b");
  f.take('a');
  f.take('c');
  assert_false(f.groups.empty());
  assert_said(f, "0: 1!b");
  assert_ptr_equal(&f.groups.take(f['b']), &f.others);
  assert_true(f.groups.empty());
  assert_said(f, "");
}

void those_ahead_join_the_others_when_told(void**) {
  Fixture f;
  f.put('a', {7, 5});
  assert_true(f.groups.has_ahead());
  assert_said(f, "0:a@5");
  f.put('b');
  f.put('c', {7, 6});
  f.put('d', {7, 5});
  assert_said(f, "0:ad@5 1:b 2:c@6");
  assert_true(f.groups.join_others(0));
  assert_said(f, "0:c@6 1:bad");
  assert_true(f.groups.has_ahead());
  f.take('a');
  assert_said(f, "0:c@6 1:bd");
  assert_true(f.groups.join_others(0));
  assert_said(f, "0:bdc");
  assert_false(f.groups.has_ahead());
  for (const char one : {'b', 'c', 'd'}) f.take(one);
  assert_true(f.groups.empty());
}

void one_ahead_that_is_reached_is_alone_again(void**) {
  Fixture f;
  f.put('a', {7, 5});
  assert_true(f.groups.join_others(0));
  assert_said(f, "0:a");
  assert_false(f.groups.has_ahead());
  f.put('b');
  assert_said(f, "0:ab");
  f.take('a');
  f.take('b');
}

void room_is_kept_for_who_is_to_come(void**) {
  Fixture f;
  f.groups.make_room(f.lines, kThere);
  assert_true(f.groups.empty());
  f.put('a');
  f.groups.make_room(f.others, {7, 5});
  assert_said(f, "0:a 1!@5");
  f.groups.put(f['b'], f.others, {7, 5});
  assert_said(f, "0:a 1!b@5");
  f.groups.make_room(f.lines, kThere);
  f.put('c');
  assert_said(f, "0:ac 1!b@5");
  f.take('a');
  f.take('c');
  (void)f.groups.take(f['b']);
}

/// All ways in which three come, in two kinds, and go.
void places_are_right_however_they_come_and_go(void**) {
  for (unsigned way = 0; way < 8 * 6; ++way) {
    Fixture f;
    const unsigned kinds = way % 8;
    const auto encoder = [&](unsigned i) -> Lines& {
      return (kinds >> i & 1U) != 0 ? f.others : f.lines;
    };
    for (unsigned i = 0; i < 3; ++i) {
      f.groups.put(f[static_cast<char>('a' + i)], encoder(i), kThere);
    }
    std::vector<unsigned> order{0, 1, 2};
    for (unsigned i = 0; i < way / 8; ++i) {
      std::next_permutation(order.begin(), order.end());
    }
    for (const unsigned i : order) {
      assert_ptr_equal(&f.groups.take(f[static_cast<char>('a' + i)]),
                       &encoder(i));
    }
    assert_true(f.groups.empty());
  }
}

}  // namespace
}  // namespace paperboy::hub

int main() {
  using namespace paperboy::hub;
  const CMUnitTest tests[] = {
      cmocka_unit_test(one_alone_needs_nothing_beside_it),
      cmocka_unit_test(those_who_take_the_same_are_together),
      cmocka_unit_test(who_takes_something_else_is_apart),
      cmocka_unit_test(those_ahead_join_the_others_when_told),
      cmocka_unit_test(one_ahead_that_is_reached_is_alone_again),
      cmocka_unit_test(room_is_kept_for_who_is_to_come),
      cmocka_unit_test(places_are_right_however_they_come_and_go),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
