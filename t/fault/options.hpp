// What the engine is started with.
#pragma once

#include "subscriber.hpp"

namespace paperboy::fault {

struct Options {
  std::vector<std::uint16_t> ports;  ///< of the nodes
  std::uint64_t seed = 1;
  std::string log = "/dev/null";
  std::size_t channels = 4;
  std::size_t native = 0;      ///< subscribers, each of two channels
  std::size_t sse = 0;         ///< likewise, by turns of one and of two
  std::size_t raw = 0;         ///< each of one channel
  std::size_t recovering = 0;  ///< of them: come and go all the time
  std::size_t slow = 0;        ///< of them: for `stall`
  std::size_t classic = 0;     ///< likewise, by turns of one and of two
  std::size_t notiflux = 0;    ///< likewise
  std::size_t publishers = 16;
  std::size_t topics = 8;  ///< publishers for classic back ends beside them
  std::string secret;      ///< of tokens of the classic protocol
  std::string key;         ///< a file: that of tokens of notiflux
  Doors doors;
  std::size_t least = 60;  ///< of a message, bytes
  std::size_t most = 400;
  std::size_t big = 0;  ///< one of so many has a megabyte; 0: none
  bool keys = false;    ///< idempotency keys
  /// What a node answers with 503 may have been published all the same.
  bool doubt = false;
  /// Redis may forget what was acknowledged: see Ledger::allow_forks.
  bool forks = false;
  double answer = 1.5;   ///< how long publishers wait for one, seconds
  double patience = 15;  ///< for all to be live, or to have all, seconds
  Garble garble;
};

/// Ends the process with a message where they are wrong.
[[nodiscard]] Options parse_options(int count, char** words);

}  // namespace paperboy::fault
