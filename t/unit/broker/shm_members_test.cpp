#include "broker/shm_members.hpp"

#include <algorithm>

#include "shm_support.hpp"

namespace paperboy::broker::shm {
namespace {

std::string numbered(const char* stem, int i) {
  return stem + std::to_string(i);
}

/// A zone with a seat that subscribes to "news".
struct There : TestZone {
  explicit There(std::size_t size = 0) : TestZone(small_options(), size) {
    seat = claim();
    ref = zone.subscribe(seat, "news")->ref;
  }

  MemberRef enter(const std::string& client, const std::string& user = "u") {
    return zone.enter(seat, ref, {.client = client, .user = user}, false)
        .value();
  }

  /// "client client ", the last that came first.
  std::string clients(Bytes channel = "news") {
    std::string all;
    const auto members = zone.members(channel).value();
    for (const auto& m : members) all += m.client + " ";
    return all;
  }

  SeatIndex seat = 0;
  ChannelRef ref = 0;
};

void who_enters_is_there_until_it_leaves(void**) {
  There it;
  assert_string_equal(it.clients().c_str(), "");
  const MemberRef one = it.enter("one");
  const MemberRef two = it.enter("two");
  const MemberRef three = it.enter("three");
  assert_string_equal(it.clients().c_str(), "three two one ");
  assert_int_equal(it.zone.stats().members, 3);
  it.assert_sound();
  assert_true(it.zone.leave(it.seat, two).ok());
  assert_string_equal(it.clients().c_str(), "three one ");
  assert_true(it.zone.leave(it.seat, three).ok());
  it.assert_sound();
  assert_true(it.zone.leave(it.seat, one).ok());
  assert_string_equal(it.clients().c_str(), "");
  assert_string_equal(it.clients("nowhere").c_str(), "");
  it.assert_sound();
}

void a_member_is_told_as_it_came(void**) {
  There it;
  const Member whole{.client = "c",
                     .user = "u",
                     .conn_info = R"({"a":1})",
                     .chan_info = R"({"b":2})"};
  assert_true(it.zone.enter(it.seat, it.ref, whole, true).ok());
  assert_true(it.zone.enter(it.seat, it.ref, {.client = "d"}, true).ok());
  const auto all = it.zone.members("news").value();
  assert_int_equal(all.size(), 2);
  assert_true(all[0].client == "d" && all[0].user.empty());
  assert_true(all[0].conn_info.empty() && all[0].chan_info.empty());
  assert_true(all[1].client == "c" && all[1].user == "u");
  assert_true(all[1].conn_info == whole.conn_info);
  assert_true(all[1].chan_info == whole.chan_info);
}

void users_are_counted_once(void**) {
  There it;
  for (const char* user : {"ann", "bob", "ann", "", "ann", ""}) {
    it.enter("c", user);
  }
  const auto stats = it.zone.presence_stats("news").value();
  assert_int_equal(stats.clients, 6);
  assert_int_equal(stats.users, 3);
  assert_int_equal(it.zone.presence_stats("nowhere")->clients, 0);
  assert_true(it.zone.presence_stats("").error().code ==
              ErrorCode::channel_name);
  assert_true(it.zone.members("").error().code == ErrorCode::channel_name);
}

void only_its_own_seat_lets_a_member_leave(void**) {
  There it;
  const SeatIndex other = it.claim();
  const MemberRef one = it.enter("one");
  for (const auto& [seat, ref] :
       {std::pair{other, one}, {it.seat, MemberRef{0}}, {it.seat, it.ref}}) {
    assert_true(it.zone.leave(seat, ref).error().code == ErrorCode::not_found);
  }
  assert_true(it.zone.leave(it.seat, one).ok());
  assert_true(it.zone.leave(it.seat, one).error().code == ErrorCode::not_found);
}

void a_member_has_one_block(void**) {
  There it;
  const std::string info(Members::kMaxLength - 1, 'i');
  assert_true(
      it.zone.enter(it.seat, it.ref, {.client = "c", .conn_info = info}, false)
          .ok());
  assert_true(it.zone.members("news").value()[0].conn_info == info);
  const auto large = it.zone.enter(
      it.seat, it.ref, {.client = "c", .user = "u", .chan_info = info}, false);
  assert_true(large.error().code == ErrorCode::too_large);
}

void a_dead_workers_members_are_gone_and_announced(void**) {
  There it;
  it.enter("here");
  const pid_t child = spawn([&it] {
    const SeatIndex seat = it.zone.claim_seat().value();
    const auto ref = it.zone.subscribe(seat, "news")->ref;
    const Member ann{.client = "a", .user = "ann", .conn_info = "{}"};
    (void)it.zone.enter(seat, ref, ann, true);
    (void)it.zone.enter(seat, ref, {.client = "b", .user = "bob"}, false);
    (void)it.zone.enter(seat, ref, {.client = "c", .user = "q\"q"}, true);
    raise(SIGKILL);
  });
  assert_int_equal(wait_for(child), SIGKILL);
  assert_int_equal(it.zone.presence_stats("news")->clients, 4);
  assert_int_equal(it.zone.reap_dead_seats(), 1);
  assert_string_equal(it.clients().c_str(), "here ");
  assert_int_equal(it.zone.stats().members, 1);
  Notes notes;
  (void)it.zone.drain(it.seat, {}, notes);
  std::ranges::sort(notes.events);
  assert_int_equal(notes.events.size(), 2);
  assert_string_equal(notes.events[0].c_str(),
                      R"(news/-{"user":"ann","client":"a","conn_info":{}})");
  assert_string_equal(notes.events[1].c_str(),
                      R"(news/-{"user":"q\"q","client":"c"})");
  assert_int_equal(it.zone.reap_dead_seats(), 0);
  notes.clear();
  (void)it.zone.drain(it.seat, {}, notes);
  assert_true(notes.events.empty());
  it.assert_sound();
}

// The next worker on the seat has members of its own.
void a_seat_in_the_next_hands_has_none_of_the_last(void**) {
  There it;
  SeatIndex seat = it.claim();
  auto ref = it.zone.subscribe(seat, "news")->ref;
  (void)it.zone.enter(seat, ref, {.client = "old"}, true);
  it.release(seat);
  assert_string_equal(it.clients().c_str(), "");
  const SeatIndex next = it.claim();
  assert_int_equal(next, seat);
  ref = it.zone.subscribe(next, "news")->ref;
  const auto mine = it.zone.enter(next, ref, {.client = "new"}, true);
  assert_string_equal(it.clients().c_str(), "new ");
  it.assert_sound();
  (void)it.zone.reap_dead_seats();
  assert_string_equal(it.clients().c_str(), "new ");
  assert_int_equal(it.zone.stats().members, 1);
  assert_true(it.zone.leave(next, *mine).ok());
  it.assert_sound();
}

void many_orphans_go_a_bounded_number_at_a_time(void**) {
  There it(8 << 20);
  const SeatIndex seat = it.claim();
  const auto ref = it.zone.subscribe(seat, "news")->ref;
  for (int i = 0; i < 10'000; i++) {
    (void)it.zone.enter(seat, ref, {.client = numbered("c", i)}, false);
  }
  it.release(seat);
  (void)it.zone.reap_dead_seats();
  const auto left = it.zone.stats().members;
  assert_true(left > 0 && left < 10'000);
  assert_string_equal(it.clients().c_str(), "");
  it.assert_sound();
  while (it.zone.stats().members > 0) (void)it.zone.reap_dead_seats();
  it.assert_sound();
}

void leaves_that_the_log_has_no_room_for_wait(void**) {
  There it;
  const SeatIndex seat = it.claim();
  const auto ref = it.zone.subscribe(seat, "news")->ref;
  const std::string info = "\"" + std::string(3000, 'i') + "\"";
  for (int i = 0; i < 40; i++) {
    const auto name = numbered("c", i);
    const Member member{.client = name, .conn_info = info};
    assert_true(it.zone.enter(seat, ref, member, true).ok());
  }
  it.release(seat);
  std::set<std::string> told;
  for (int i = 0; i < 10; i++) {
    (void)it.zone.reap_dead_seats();
    it.assert_sound();
    if (i == 0) assert_true(it.zone.stats().members > 0);
    Notes notes;
    (void)it.zone.drain(it.seat, {}, notes);
    for (const auto& event : notes.events)
      assert_true(told.insert(event).second);
  }
  assert_int_equal(told.size(), 40);
  assert_int_equal(it.zone.stats().members, 0);
}

void ten_thousand_members_are_read_once_each(void**) {
  There it(8 << 20);
  for (int i = 0; i < 10'000; i++) {
    it.enter(numbered("c", i), numbered("u", i / 4));
  }
  std::set<std::string> seen;
  const auto all = it.zone.members("news").value();
  for (const auto& m : all) {
    assert_true(seen.insert(m.client).second);
  }
  assert_int_equal(seen.size(), 10'000);
  const auto stats = it.zone.presence_stats("news").value();
  assert_int_equal(stats.clients, 10'000);
  assert_int_equal(stats.users, 2500);
  it.assert_sound();
}

/// The parts that a zone is made of, for one hold of the lock after another.
struct Opened {
  explicit Opened(const TestZone& it)
      : view(it.memory.bytes().data()),
        arena(view),
        seats(view),
        order(view, arena),
        members(view, arena, seats, order) {}

  View view;
  Arena arena;
  Seats seats;
  Order order;
  Members members;
};

/// 600 are there; some leave after the first hold, and their blocks are taken
/// by others.
void read_while_leaving(const std::function<bool(int)>& leaves) {
  There it(4 << 20);
  std::vector<MemberRef> refs;
  for (int i = 0; i < 600; i++) refs.push_back(it.enter(numbered("c", i)));
  std::multiset<std::string> seen;
  const Opened opened(it);
  MemberReader reader([&](const Member& m) { seen.emplace(m.client); });
  const auto read_on = [&] {
    return reader.read_on(opened.members, opened.order.annex(it.ref));
  };
  assert_false(read_on());
  const int first = static_cast<int>(seen.size());
  assert_true(first > 100 && first < 400);
  for (int i = 0; i < 600; i++) {
    if (leaves(600 - first - i)) (void)it.zone.leave(it.seat, refs[i]);
  }
  // Those of another channel first: they get the blocks that are free.
  const auto other = it.zone.subscribe(it.seat, "other")->ref;
  for (int i = 0; i < 600; i++) {
    (void)it.zone.enter(it.seat, other, {.client = "late", .user = "u"}, false);
  }
  for (int i = 0; i < 100; i++) it.enter(numbered("late", i));
  while (!read_on()) {
  }
  for (int i = 0; i < 600; i++) {
    const bool left = leaves(600 - first - i);
    const auto times = seen.count(numbered("c", i));
    // Read before, or still there.
    assert_int_equal(times, i >= 600 - first || !left ? 1 : 0);
  }
  assert_true(std::ranges::none_of(
      seen, [](const std::string& c) { return c.starts_with("late"); }));
}

// Distances from the last that was read: 0 is that one, above are those to be
// read, below those that were.
void who_leaves_amid_a_reading_costs_nobody_else(void**) {
  read_while_leaving([](int) { return false; });
  read_while_leaving([](int d) { return d == 0; });
  read_while_leaving([](int d) { return d <= 0 && d > -10; });
  read_while_leaving([](int d) { return d <= 0 && d > -30; });
  read_while_leaving([](int d) { return d <= 1 && d > -15; });
  read_while_leaving([](int d) { return d > 0 && d % 2 == 0; });
  read_while_leaving([](int) { return true; });
}

void a_channel_with_members_is_not_evicted(void**) {
  There it;
  const MemberRef one = it.enter("one");
  const auto top = it.zone.position("news").value();
  // Behind the port's back: nobody subscribes any more.
  assert_true(it.zone.unsubscribe(it.seat, it.ref).ok());
  for (int i = 0; it.zone.stats().evictions < 5000; i++) {
    assert_true(it.zone.publish(numbered("c", i), Kind::text, "").ok());
  }
  assert_true(it.zone.position("news").value() == top);
  assert_true(it.zone.leave(it.seat, one).ok());
  for (int i = 0; it.zone.stats().evictions < 12'000; i++) {
    assert_true(it.zone.publish(numbered("d", i), Kind::text, "").ok());
  }
  assert_false(it.zone.position("news").ok());
  it.assert_sound();
}

void a_full_zone_refuses_members_and_keeps_those_it_has(void**) {
  There it;
  int entered = 0;
  Result<MemberRef> last = it.zone.enter(it.seat, it.ref, {}, false);
  for (; last.ok(); entered++) {
    last = it.zone.enter(it.seat, it.ref, {.client = "c"}, false);
  }
  assert_true(last.error().code == ErrorCode::too_many_channels);
  assert_int_equal(it.zone.presence_stats("news")->clients, entered);
  assert_true(it.zone.publish("news", Kind::text, "x").ok());
  it.assert_sound();
}

}  // namespace
}  // namespace paperboy::broker::shm

int main() {
  using namespace paperboy::broker::shm;
  const CMUnitTest tests[] = {
      cmocka_unit_test(who_enters_is_there_until_it_leaves),
      cmocka_unit_test(a_member_is_told_as_it_came),
      cmocka_unit_test(users_are_counted_once),
      cmocka_unit_test(only_its_own_seat_lets_a_member_leave),
      cmocka_unit_test(a_member_has_one_block),
      cmocka_unit_test(a_dead_workers_members_are_gone_and_announced),
      cmocka_unit_test(a_seat_in_the_next_hands_has_none_of_the_last),
      cmocka_unit_test(many_orphans_go_a_bounded_number_at_a_time),
      cmocka_unit_test(leaves_that_the_log_has_no_room_for_wait),
      cmocka_unit_test(ten_thousand_members_are_read_once_each),
      cmocka_unit_test(who_leaves_amid_a_reading_costs_nobody_else),
      cmocka_unit_test(a_channel_with_members_is_not_evicted),
      cmocka_unit_test(a_full_zone_refuses_members_and_keeps_those_it_has),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
