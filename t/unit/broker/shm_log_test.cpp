#include "broker/shm_log.hpp"

#include <new>

#include "shm_support.hpp"

namespace paperboy::broker::shm {
namespace {

/// A zone with a reader of "news".
struct Read : TestZone {
  Read() : reader(claim()) { ref = zone.subscribe(reader, "news")->ref; }

  Drained drain(const DrainLimit& limit = {}) {
    notes.clear();
    return zone.drain(reader, limit, notes);
  }

  Result<Published> publish(const char* channel, const std::string& data) {
    return zone.publish(channel, Kind::text, data);
  }

  /// Fills the log until it refuses; how many it took.
  int fill() {
    int taken = 0;
    const std::string data(1000, 'x');
    while (publish("news", data).ok()) taken++;
    return taken;
  }

  SeatIndex reader;
  ChannelRef ref = 0;
  Notes notes;
};

void what_is_published_is_read_once_in_order(void**) {
  Read it;
  (void)it.publish("news", "a");
  (void)it.publish("news", "b");
  assert_true(it.drain() == Drained::empty);
  assert_int_equal(it.notes.lines.size(), 2);
  assert_string_equal(it.notes.lines[0].c_str(), "news/1=a");
  assert_string_equal(it.notes.lines[1].c_str(), "news/2=b");
  assert_int_equal(it.notes.refs[0], it.ref);
  assert_true(it.drain() == Drained::empty);
  assert_int_equal(it.notes.lines.size(), 0);
}

void kinds_and_any_bytes_pass(void**) {
  class Check final : public Visitor {
   public:
    void visit(ChannelRef, const Publication& p) override {
      assert_true(p.kind == Kind::binary);
      assert_true(p.data == Bytes("\0\xff\n", 3) || p.data.empty());
      seen++;
    }
    int seen = 0;
  };
  Read it;
  (void)it.zone.publish("news", Kind::binary, Bytes("\0\xff\n", 3));
  (void)it.zone.publish("news", Kind::binary, {});
  Check check;
  assert_true(it.zone.drain(it.reader, {}, check) == Drained::empty);
  assert_int_equal(check.seen, 2);
}

void a_seat_is_woken_once_for_all_that_waits(void**) {
  Read it;
  for (int i = 0; i < 5; i++) (void)it.publish("news", "a");
  assert_int_equal(it.waker.wakes[it.reader], 1);
  assert_true(it.drain() == Drained::empty);
  (void)it.publish("news", "b");
  assert_int_equal(it.waker.wakes[it.reader], 2);
}

void other_channels_wake_nobody(void**) {
  Read it;
  (void)it.publish("other", "a");
  assert_int_equal(it.waker.wakes.size(), 0);
  assert_true(it.drain() == Drained::empty);
  assert_int_equal(it.notes.lines.size(), 0);
}

void an_unsubscribed_seat_sleeps(void**) {
  Read it;
  assert_true(it.zone.unsubscribe(it.reader, it.ref).ok());
  (void)it.publish("news", "a");
  assert_int_equal(it.waker.wakes.size(), 0);
}

/// Takes what it is shown up to "stop".
class Stopper final : public Visitor {
 public:
  void visit(ChannelRef, const Publication& publication) override {
    shown.append(publication.data).append(";");
    stopped = publication.data == "stop";
  }
  [[nodiscard]] bool has_enough() const override { return stopped; }

  std::string shown;
  bool stopped = false;
};

void a_visitor_may_have_enough(void**) {
  Read it;
  for (const char* const data : {"a", "stop", "b", "stop"}) {
    (void)it.publish("news", data);
  }
  Stopper visitor;
  assert_true(it.zone.drain(it.reader, {}, visitor) == Drained::more);
  assert_string_equal(visitor.shown.c_str(), "a;stop;");
  visitor.stopped = false;
  assert_true(it.zone.drain(it.reader, {}, visitor) == Drained::empty);
  assert_string_equal(visitor.shown.c_str(), "a;stop;b;stop;");
}

void a_drain_keeps_to_its_limit(void**) {
  Read it;
  for (int i = 0; i < 10; i++) (void)it.publish("news", "a");
  DrainLimit limit;
  limit.records = 4;
  assert_true(it.drain(limit) == Drained::more);
  assert_int_equal(it.notes.lines.size(), 4);
  assert_true(it.drain(limit) == Drained::more);
  assert_true(it.drain(limit) == Drained::empty);
  assert_string_equal(it.notes.lines.back().c_str(), "news/10=a");
  for (int i = 0; i < 10; i++) (void)it.publish("news", "a");
  limit = {};
  limit.bytes = 100;
  assert_true(it.drain(limit) == Drained::more);
  assert_int_equal(it.notes.lines.size(), 2);
}

/// Publishes when it is shown something, as a worker may.
class Echo final : public Visitor {
 public:
  explicit Echo(Read& it) : it_(it) {}

  void visit(ChannelRef, const Publication&) override {
    if (++seen < 4) (void)it_.publish("news", "again");
  }

  int seen = 0;

 private:
  Read& it_;
};

void what_comes_while_reading_is_read_too(void**) {
  Read it;
  (void)it.publish("news", "a");
  Echo echo(it);
  assert_true(it.zone.drain(it.reader, {}, echo) == Drained::empty);
  assert_int_equal(echo.seen, 4);
  assert_int_equal(it.waker.wakes[it.reader], 1);
}

void a_live_seat_is_never_overrun(void**) {
  Read it;
  const int taken = it.fill();
  assert_true(taken > 50);
  it.clock.now += small_options().stall_limit_ms;
  assert_true(it.publish("other", std::string(1000, 'x')).error().code ==
              ErrorCode::log_full);
  DrainLimit limit;
  limit.records = 3;
  assert_true(it.drain(limit) == Drained::more);
  assert_true(it.publish("news", "after").ok());
  int read = 3;
  while (it.drain() == Drained::more) {
  }
  read += static_cast<int>(it.notes.lines.size());
  assert_int_equal(read, taken + 1);
  assert_int_equal(it.notes.positions.back().offset, taken + 1);
  assert_int_equal(it.zone.stats().overruns, 0);
}

void a_seat_that_wants_nothing_holds_nobody_up(void**) {
  Read it;
  for (int i = 0; i < 1000; i++) {
    assert_true(it.publish("other", std::string(1000, 'x')).ok());
  }
  assert_true(it.publish("news", "a").ok());
  assert_true(it.drain() == Drained::empty);
  assert_int_equal(it.notes.lines.size(), 1);
}

void a_stalled_seat_is_overrun_and_told(void**) {
  Read it;
  const int taken = it.fill();
  it.clock.now += small_options().stall_limit_ms + 1;
  assert_true(it.publish("news", std::string(2000, 'x')).ok());
  assert_true(it.drain() == Drained::overrun);
  assert_int_equal(it.zone.stats().overruns, 1);
  assert_int_equal(it.zone.position(it.ref).offset, taken + 1);
  // And goes on behind the loss.
  it.zone.touch_seat(it.reader);
  assert_true(it.drain() == Drained::empty);
  assert_int_equal(it.notes.lines.size(), 0);
  assert_true(it.publish("news", "next").ok());
  assert_true(it.drain() == Drained::empty);
  assert_int_equal(it.notes.positions.at(0).offset, taken + 2);
}

/// Falls asleep while it is shown the first record, and is overrun.
class Sleeper final : public Visitor {
 public:
  explicit Sleeper(Read& it) : it_(it) {}

  void visit(ChannelRef, const Publication&) override {
    seen++;
    it_.clock.now += 10'000;
    for (int i = 0; i < 200; i++) {
      assert_true(it_.publish("other", std::string(1000, 'y')).ok());
    }
  }

  int seen = 0;

 private:
  Read& it_;
};

void what_is_overwritten_during_a_visit_is_void(void**) {
  Read it;
  (void)it.publish("news", "a");
  (void)it.publish("news", "b");
  Sleeper sleeper(it);
  assert_true(it.zone.drain(it.reader, {}, sleeper) == Drained::overrun);
  assert_int_equal(sleeper.seen, 1);
}

void a_dead_seat_is_not_waited_for(void**) {
  TestZone it;
  wait_for(spawn([&it] {
    const SeatIndex seat = it.zone.claim_seat().value();
    (void)it.zone.subscribe(seat, "news");
  }));
  for (int i = 0; i < 200; i++) {
    assert_true(
        it.zone.publish("news", Kind::text, std::string(1000, 'x')).ok());
  }
  assert_int_equal(it.zone.stats().seats_taken, 0);
  it.assert_sound();
}

// Every place at the ring's end where a record may begin or not fit any more.
void records_of_all_sizes_go_around(void**) {
  Read it;
  std::uint64_t offset = 0;
  for (std::size_t size = 0; size < 3000; size++) {
    const std::string data(size * 7 % 3001, 'z');
    assert_int_equal(it.publish("news", data)->position.offset, ++offset);
    assert_true(it.drain() == Drained::empty);
    assert_int_equal(it.notes.lines.size(), 1);
    assert_true(it.notes.lines[0] ==
                "news/" + std::to_string(offset) + "=" + data);
  }
  it.assert_sound();
}

void too_large_is_refused(void**) {
  Read it;
  const std::size_t most = small_options().log_size / 4 - 32 - 4;
  assert_true(it.publish("news", std::string(most, 'x')).ok());
  const auto refused = it.publish("news", std::string(most + 1, 'x'));
  assert_true(refused.error().code == ErrorCode::too_large);
  assert_int_equal(it.zone.position("news")->offset, 1);
}

// What somebody else wrote into the ring can't lead out of it.
void a_corrupt_record_is_a_loss_and_no_crash(void**) {
  for (const bool padding : {false, true}) {
    for (const std::uint32_t size : {0U, 1U, 31U, 33U, 4096U, UINT32_MAX}) {
      if (!padding && size <= 33) continue;  // of data, it fits
      Read it;
      (void)it.publish("news", "a");
      const View view(it.memory.bytes().data());
      auto* record = reinterpret_cast<Record*>(view.log());
      record->data_length = size;
      if (padding) record->kind = Record::kPadding;
      assert_true(it.drain() == Drained::overrun);
      (void)it.publish("news", "b");
      assert_true(it.drain() == Drained::empty);
      assert_int_equal(it.notes.lines.size(), 1);
    }
  }
}

}  // namespace
}  // namespace paperboy::broker::shm

int main() {
  using namespace paperboy::broker::shm;
  const CMUnitTest tests[] = {
      cmocka_unit_test(what_is_published_is_read_once_in_order),
      cmocka_unit_test(kinds_and_any_bytes_pass),
      cmocka_unit_test(a_seat_is_woken_once_for_all_that_waits),
      cmocka_unit_test(other_channels_wake_nobody),
      cmocka_unit_test(an_unsubscribed_seat_sleeps),
      cmocka_unit_test(a_visitor_may_have_enough),
      cmocka_unit_test(a_drain_keeps_to_its_limit),
      cmocka_unit_test(what_comes_while_reading_is_read_too),
      cmocka_unit_test(a_live_seat_is_never_overrun),
      cmocka_unit_test(a_seat_that_wants_nothing_holds_nobody_up),
      cmocka_unit_test(a_stalled_seat_is_overrun_and_told),
      cmocka_unit_test(what_is_overwritten_during_a_visit_is_void),
      cmocka_unit_test(a_dead_seat_is_not_waited_for),
      cmocka_unit_test(records_of_all_sizes_go_around),
      cmocka_unit_test(too_large_is_refused),
      cmocka_unit_test(a_corrupt_record_is_a_loss_and_no_crash),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
