#include "broker/shm_zone.hpp"

#include <cstring>

#include "broker/shm_layout.hpp"
#include "shm_support.hpp"

namespace paperboy::broker::shm {
namespace {

void attaching_finds_what_is_there(void**) {
  TestZone it;
  const auto made = it.zone.publish("news", Kind::text, "a").value();
  auto again = Zone::attach(it.memory.bytes(), it.clock, it.waker);
  assert_true(again.ok());
  assert_true(again->position("news").value() == made.position);
}

// As a zone in a file would be, after a restart.
void a_zone_works_at_another_address(void**) {
  TestZone it;
  const SeatIndex reader = it.claim();
  (void)it.zone.subscribe(reader, "news");
  (void)it.zone.publish("news", Kind::text, "a");
  it.release(reader);
  const SharedMemory moved(it.memory.bytes().size());
  std::memcpy(moved.as<void>(), it.memory.as<void>(), it.memory.bytes().size());
  Zone zone = Zone::attach(moved.bytes(), it.clock, it.waker).value();
  assert_int_equal(zone.position("news")->offset, 1);
  const SeatIndex seat = zone.claim_seat().value();
  assert_true(zone.subscribe(seat, "news").ok());
  assert_int_equal(zone.publish("news", Kind::text, "b")->subscribers, 1);
  Notes notes;
  assert_true(zone.drain(seat, {}, notes) == Drained::empty);
  assert_string_equal(notes.lines.at(0).c_str(), "news/2=b");
  zone.release_seat(seat);
  assert_null(zone.check());
}

void what_is_no_such_zone_is_refused(void**) {
  TestZone it;
  Header& header = *it.memory.as<Header>();
  const auto bytes = it.memory.bytes();
  const auto refused = [&](std::span<std::byte> memory) {
    const auto zone = Zone::attach(memory, it.clock, it.waker);
    return !zone.ok() && zone.error().code == ErrorCode::bad_request;
  };
  assert_true(refused(bytes.first(100)));
  assert_true(refused(bytes.first(bytes.size() - 64)));
  header.version++;
  assert_true(refused(bytes));
  header.version--;
  header.geometry.log_at += 64;
  assert_true(refused(bytes));
  header.geometry.log_at -= 64;
  header.magic.store(0);
  assert_true(refused(bytes));
}

void too_little_memory_is_refused(void**) {
  const Options options;
  const SharedMemory memory(Zone::minimum_size(options));
  ManualClock clock;
  CountingWaker waker;
  const auto less = memory.bytes().first(Zone::minimum_size(options) - 1);
  assert_false(Zone::format(less, options, clock, waker).ok());
  assert_true(Zone::format(memory.bytes(), options, clock, waker).ok());
}

void the_numbers_are_right(void**) {
  TestZone it;
  const SeatIndex seat = it.claim();
  (void)it.zone.subscribe(seat, "news");
  (void)it.zone.publish("news", Kind::text, "a");
  const Stats stats = it.zone.stats();
  assert_int_equal(stats.size, it.memory.bytes().size());
  assert_int_equal(stats.channels, 1);
  assert_int_equal(stats.arena_used, 64);
  assert_int_equal(stats.arena_size - stats.arena_free, kPageSize);
  assert_int_equal(stats.log_size, 64 * 1024);
  assert_int_equal(stats.log_used, 64);
  assert_int_equal(stats.seats, 8);
  assert_int_equal(stats.seats_taken, 1);
  assert_int_equal(stats.rollbacks + stats.overruns + stats.evictions, 0);
}

void the_check_notices_what_is_wrong(void**) {
  TestZone it;
  (void)it.zone.publish("news", Kind::text, "a");
  (void)it.zone.publish("other", Kind::text, "a");
  it.assert_sound();
  Header& header = *it.memory.as<Header>();
  header.directory.channels++;
  assert_non_null(it.zone.check());
  header.directory.channels--;
  header.arena.used_bytes += 64;
  assert_non_null(it.zone.check());
  header.arena.used_bytes -= 64;
  std::swap(header.directory.newest, header.directory.oldest);
  assert_non_null(it.zone.check());
  std::swap(header.directory.newest, header.directory.oldest);
  View(it.memory.bytes().data())
      .block<Channel>(header.directory.newest)
      ->offset++;
  assert_non_null(it.zone.check());
}

}  // namespace
}  // namespace paperboy::broker::shm

int main() {
  using namespace paperboy::broker::shm;
  const CMUnitTest tests[] = {
      cmocka_unit_test(attaching_finds_what_is_there),
      cmocka_unit_test(a_zone_works_at_another_address),
      cmocka_unit_test(what_is_no_such_zone_is_refused),
      cmocka_unit_test(too_little_memory_is_refused),
      cmocka_unit_test(the_numbers_are_right),
      cmocka_unit_test(the_check_notices_what_is_wrong),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
