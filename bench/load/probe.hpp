// What the kernel tells of the servers' processes, of this one and of the
// machine.
#pragma once

#include <string>
#include <vector>

#include "json.hpp"

namespace paperboy::load {

struct CpuTime {
  double user = 0;  ///< seconds, in ticks
  double system = 0;
  double run = 0;  ///< both, in nanoseconds' grain
};

struct Memory {  ///< kB
  std::uint64_t rss = 0;
  std::uint64_t pss = 0;
  std::uint64_t own = 0;  ///< of the PSS: anonymous, and shared memory
};

struct Machine {
  /// Free, or page cache, kB. MemAvailable won't do: it takes most of what
  /// sockets use for reclaimable.
  std::uint64_t available = 0;
  std::uint64_t slab = 0;  ///< the kernel's objects, kB
  std::uint64_t sockets = 0;
  std::uint64_t client_pss = 0;  ///< of this process, kB
};

/// The processes that serve; one that comes later doesn't count.
class Servers {
 public:
  void add(int pid) { pids_.push_back(pid); }
  /// And all that descends from it.
  void add_tree(int pid);

  /// On loopback it holds the receiving half of TCP as well, which the sender's
  /// context runs.
  [[nodiscard]] CpuTime cpu() const;
  [[nodiscard]] Memory memory() const;
  [[nodiscard]] std::uint64_t threads() const;

 private:
  std::vector<int> pids_;
};

[[nodiscard]] double own_cpu();
[[nodiscard]] Machine machine();

/// The number after "name" in a text of lines such as /proc/meminfo; 0: none.
[[nodiscard]] std::uint64_t proc_number(Bytes text, Bytes name);

}  // namespace paperboy::load
