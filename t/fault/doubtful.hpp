// What back ends said to a channel while something was broken, as one client
// got it that is told no positions: several nodes publish it, and the key by
// which the second would have known of the first may be what was lost. So it
// may stand at several places, and at which of them it came can't be told.
//
// What can be told is held against: in one connection it comes no more often
// than it stands in the channel; and where it stands once, whoever passes that
// place has to get it, or had it as the last of its connection before. Judged
// in the end, when all its places are known.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ledger.hpp"

namespace paperboy::fault {

class Doubtful {
 public:
  /// A connection begins.
  void begins();
  /// In it came what a back end said.
  void hears(const Stamp& stamp);
  /// In it came what stands behind this, in this epoch.
  void passes(const Stamp& stamp, std::uint64_t epoch);
  /// The same, where nobody has told yet what stands: it may be such.
  void passes(const Place& place);
  /// That came late. False: it wasn't passed.
  bool fills(const Place& place);

  /// The end of the run: complains of what `who` got of the channel.
  /// `unplaced`: so many of others came, and nobody has told from where.
  void finish(const std::string& who, std::uint32_t channel, Ledger& ledger,
              std::uint64_t unplaced = 0);

 private:
  void judge_blanks(const std::string& who, std::uint32_t channel,
                    Ledger& ledger, std::uint64_t unplaced) const;

  using Said = std::pair<std::uint32_t, std::uint32_t>;  // publisher, number

  struct Came {
    Said said;
    std::uint32_t times;
    std::uint64_t epoch;  ///< where it was passed; else 0
  };

  std::map<Said, std::uint32_t> heard_;   ///< how often, in this connection
  std::map<Said, std::uint32_t> before_;  ///< in the one before
  std::map<Said, std::uint64_t> passed_;  ///< in which epoch
  std::set<Said> all_;                    ///< heard ever
  std::vector<Came> open_;                ///< of those before
  std::set<std::pair<std::uint64_t, std::uint64_t>> blanks_;  ///< places
};

}  // namespace paperboy::fault
