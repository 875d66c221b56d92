// What is counted in a run, and what is complained of.
#pragma once

#include <cstdint>
#include <cstdio>
#include <map>
#include <string>

namespace paperboy::fault {

struct Counts {
  std::uint64_t deliveries = 0;
  std::uint64_t published = 0;
  std::uint64_t refused = 0;
  std::uint64_t unknown = 0;
  std::uint64_t repeated = 0;
  std::uint64_t reconnects = 0;
  std::uint64_t recovered = 0;
  std::uint64_t unrecovered = 0;
  std::uint64_t told = 0;  ///< holes

  std::uint64_t forks = 0;  ///< epochs that forked, and were given up

  // Of who is told no positions.
  std::uint64_t between = 0;  ///< publications between two connections
  std::uint64_t again = 0;    ///< came on the next connection once more

  // None of these may be.
  std::uint64_t untold = 0;  ///< publications in holes that weren't told
  std::uint64_t duplicates = 0;
  std::uint64_t reorders = 0;
  std::uint64_t contradictions = 0;
  std::uint64_t lost = 0;  ///< acknowledged without a position, seen by nobody
};

/// The last that filled a hole, or told of one, since Redis was back.
struct Repair {
  /// Until nodes have come back to Redis, for how long the fault is: what is
  /// late of what was published later is just late.
  static constexpr double kSettled = 3;  // s

  double since = 0;
  double last = 0;
  std::uint64_t number = 0;
  std::string what{};    ///< the last of them
  double most_late = 0;  ///< of what was published later, seconds

  void touch(double now, const std::string& text) {
    last = now;
    what = text;
    ++number;
  }
};

/// Counts, and writes complaints to the log as they come.
class Tally {
 public:
  /// `log` may be null, and must outlive it.
  explicit Tally(std::FILE* log) : log_(log) {}

  Counts counts;
  Repair repair;
  std::map<std::string, std::uint64_t> refusals;  ///< by the error's name
  std::map<std::string, std::uint64_t> ends;      ///< of connections, by cause
  std::map<std::string, std::uint64_t> kinds;     ///< deliveries, by kind

  void untold(std::uint64_t number, const std::string& text) {
    complain(counts.untold, number, "hole not told", text);
  }
  void duplicate(const std::string& text) {
    complain(counts.duplicates, 1, "duplicate", text);
  }
  void reorder(const std::string& text) {
    complain(counts.reorders, 1, "reorder", text);
  }
  void contradiction(const std::string& text) {
    complain(counts.contradictions, 1, "contradiction", text);
  }

  void lost(const std::string& text) { complain(counts.lost, 1, "lost", text); }

  [[nodiscard]] bool is_clean() const {
    return counts.untold + counts.duplicates + counts.reorders +
               counts.contradictions + counts.lost ==
           0;
  }

  /// Something that may be, for whoever reads the log of a failure.
  void note(const std::string& text);

 private:
  void complain(std::uint64_t& count, std::uint64_t number, const char* kind,
                const std::string& text);

  std::FILE* log_;
  std::map<std::string, std::uint64_t> complaints_;  ///< by kind
};

}  // namespace paperboy::fault
