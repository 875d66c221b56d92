// What the tests of the shared zone have in common: memory that forked
// children share, a clock that is set by hand, children that are waited for.
#pragma once

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "broker/shm_zone.hpp"
#include "test.hpp"

namespace paperboy::broker::shm {

class SharedMemory {
 public:
  explicit SharedMemory(std::size_t size)
      : size_(size),
        base_(mmap(nullptr, size, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
    assert_ptr_not_equal(base_, MAP_FAILED);
  }
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;
  ~SharedMemory() { munmap(base_, size_); }

  [[nodiscard]] std::span<std::byte> bytes() const {
    return {static_cast<std::byte*>(base_), size_};
  }

  template <typename T>
  [[nodiscard]] T* as() const {
    return static_cast<T*>(base_);
  }

 private:
  std::size_t size_;
  void* base_;
};

class ManualClock final : public Clock {
 public:
  [[nodiscard]] std::uint64_t monotonic_ms() const override { return now; }
  [[nodiscard]] std::int64_t unix_seconds() const override { return 0; }

  std::uint64_t now = 1'000'000;
};

class CountingWaker final : public Waker {
 public:
  void wake(SeatIndex seat) override { wakes[seat]++; }

  std::map<SeatIndex, int> wakes;
};

inline Options small_options() {
  Options options;
  options.seats = 8;
  options.log_size = 64 * 1024;
  options.seed = {1, 2, 3};
  return options;
}

/// A formatted zone in memory of its own.
struct TestZone {
  explicit TestZone(const Options& options = small_options(),
                    std::size_t size = 0)
      : memory(size != 0 ? size : Zone::minimum_size(options)),
        zone(Zone::format(memory.bytes(), options, clock, waker).value()) {}

  // The C library links a thread's robust mutexes to each other: none may be
  // held when its memory goes.
  ~TestZone() {
    for (const SeatIndex seat : std::set<SeatIndex>(mine)) {
      release(seat);
    }
  }

  SeatIndex claim() {
    const SeatIndex seat = zone.claim_seat().value();
    mine.insert(seat);
    return seat;
  }

  void release(SeatIndex seat) {
    mine.erase(seat);
    zone.release_seat(seat);
  }

  void assert_sound() {
    const char* wrong = zone.check();
    if (wrong != nullptr) {
      fail_msg("%s", wrong);
    }
  }

  SharedMemory memory;
  ManualClock clock;
  CountingWaker waker;
  Zone zone;
  std::set<SeatIndex> mine;
};

/// Notes what a drain shows, as "channel/offset=data"; events for themselves,
/// an anchor as "channel@epoch:offset".
class Notes final : public Visitor {
 public:
  void visit(ChannelRef ref, const Publication& publication) override {
    if (publication.event == Event::anchor) {
      events.push_back(std::string(publication.channel) + "@" +
                       std::to_string(publication.position.epoch) + ":" +
                       std::to_string(publication.position.offset));
      anchors.push_back(publication.position);
      return;
    }
    if (publication.event != Event::message) {
      events.push_back(std::string(publication.channel) + "/" +
                       (publication.event == Event::join ? "+" : "-") +
                       std::string(publication.data));
      return;
    }
    refs.push_back(ref);
    positions.push_back(publication.position);
    lines.push_back(std::string(publication.channel) + "/" +
                    std::to_string(publication.position.offset) + "=" +
                    std::string(publication.data));
  }

  void clear() {
    refs.clear();
    positions.clear();
    lines.clear();
    events.clear();
    anchors.clear();
  }

  std::vector<ChannelRef> refs;
  std::vector<Position> positions;
  std::vector<std::string> lines;
  std::vector<std::string> events;
  std::vector<Position> anchors;
};

/// Runs `f` in a child, which then ends without destructors of ours.
template <typename F>
pid_t spawn(F&& f) {
  std::fflush(nullptr);
  const pid_t pid = fork();
  if (pid == 0) {
    f();
    _exit(0);
  }
  assert_true(pid > 0);
  return pid;
}

/// The signal that ended the child; -code if it exited.
inline int wait_for(pid_t pid) {
  int status = 0;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}

}  // namespace paperboy::broker::shm
