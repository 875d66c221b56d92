// How many there are at once of those whom a limit counts together, over all
// workers: connections of an address, of a user, of all.
//
// A table of fixed size, in which a worker has an entry of its own for each
// mark, with linear probing, so that those of one mark lie together. What a
// worker counted names it and its generation, and means nothing once that is
// over: a worker that is killed takes its counts with it.
//
// Under one robust mutex, for as long as some entries are read: once as a
// connection comes, and once as it goes. Each worker also holds a mutex for its
// whole life, by which others see whether it lives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <pthread.h>

#include "broker/shm_layout.hpp"
#include "broker/shm_rates.hpp"

namespace paperboy::broker::shm {

class Counts {
 public:
  static constexpr std::size_t kOwners = 512;

  struct Owner {
    pthread_mutex_t alive;
    std::uint32_t generation;  // 1 more for each worker
    std::uint32_t taken;
  };
  struct Head {
    pthread_mutex_t lock;
    std::uint64_t used;  // entries
    Owner owners[kOwners];
  };
  struct Entry {
    Mark mark;       // 0: nobody's
    Interest count;  // whose, and how many
  };

  /// Once, in memory that is zeros.
  static void format(Head& head);

  /// In a worker, which it is the owner of from here on. Both must outlive the
  /// worker. Without a free owner nothing is counted.
  Counts(Head& head, std::span<Entry> entries);
  ~Counts();
  Counts(const Counts&) = delete;
  Counts& operator=(const Counts&) = delete;

  enum class Added : std::uint8_t {
    counted,
    over,     // there are `most` already
    no_room,  // it can't be counted
  };
  [[nodiscard]] Added add(Mark mark, std::uint64_t most);

  /// What this worker added. False: it can't be done now.
  [[nodiscard]] bool subtract(Mark mark);

  /// Those of living workers.
  [[nodiscard]] std::uint64_t of(Mark mark);

 private:
  class Lock;
  struct Seen {
    std::uint64_t total = 0;
    std::size_t own = 0;  // where; SIZE_MAX: there is none
    std::size_t free = 0;
  };

  [[nodiscard]] std::size_t next(std::size_t at) const {
    return at + 1 == entries_.size() ? 0 : at + 1;
  }
  [[nodiscard]] std::size_t home(Mark mark) const {
    return mark % entries_.size();
  }
  [[nodiscard]] bool lives(Interest count) const;
  Seen look(Mark mark);
  bool bury_dead();
  void erase(std::size_t at);
  void insert(const Entry& entry);
  void sweep();
  void repair();

  Head& head_;
  std::span<Entry> entries_;
  std::optional<SeatIndex> owner_;
};

}  // namespace paperboy::broker::shm
