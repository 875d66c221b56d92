// What one thread has counted: of its connections, and of what came on them.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "histogram.hpp"

namespace paperboy::load {

struct Tally {
  std::uint64_t opened = 0;
  std::uint64_t failed = 0;
  std::uint64_t closed_by_server = 0;
  std::uint64_t handshakes = 0;
  std::uint64_t pings = 0;
  std::uint64_t answered = 0;  ///< frames, as --reply says

  std::uint64_t frames = 0;      ///< with data
  std::uint64_t compressed = 0;  ///< of them
  std::uint64_t messages = 0;
  std::uint64_t payload_bytes = 0;
  std::uint64_t wire_bytes = 0;

  std::uint64_t gaps = 0;
  std::uint64_t missing = 0;  ///< messages, in all gaps and after the last
  std::uint64_t duplicates = 0;
  std::uint64_t reorders = 0;
  std::uint64_t late_first = 0;    ///< connections whose first was not number 1
  std::uint64_t misdelivered = 0;  ///< messages of another channel
  std::uint64_t damaged = 0;       ///< messages that aren't what was published
  std::uint64_t protocol_errors = 0;

  std::map<std::string, std::uint64_t> errors;
  Histogram connect;  ///< from the socket to the last answer, nanoseconds
  Histogram latency;  ///< from before the publish to the read, nanoseconds

  void add(const Tally& other);
  /// Begins to measure: what was faulty before stays.
  void begin();
  /// Nothing was faulty in what came.
  [[nodiscard]] bool is_clean() const;
  /// At most so many kinds are told apart.
  void note_error(const std::string& kind);
};

}  // namespace paperboy::load
