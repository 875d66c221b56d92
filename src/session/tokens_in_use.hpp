// The opaque tokens that let a worker's clients in: so it looks at its clients
// only where one of theirs has ended, and as often as those ask for that are
// prolonged by being there. Clients that leave aren't noted: what nobody says
// to use any more is forgotten when it is over. One a worker.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>

namespace paperboy::session {

class TokensInUse {
 public:
  /// Somebody has it, and it is good until then, in seconds; `sliding`: so long
  /// a use prolongs it; 0: none does.
  void add(std::uint64_t number, std::int64_t until, std::uint32_t sliding);

  /// It has ended. False: nobody here has it.
  bool remove(std::uint64_t number);

  /// Once a second: whether clients are to say that they are still there, which
  /// adds what they have. `now`: seconds.
  bool due(std::int64_t now);

  [[nodiscard]] std::size_t size() const { return all_.size(); }

 private:
  struct Use {
    std::int64_t until;
    std::uint32_t sliding;
  };

  void slides(std::uint32_t sliding);
  void forget_old(std::int64_t now);

  std::unordered_map<std::uint64_t, Use> all_;
  std::uint32_t least_ = 0;  // of `sliding`; 0: none slides
  std::int64_t looked_ = 0;  // when clients last said so, or nobody had to
};

}  // namespace paperboy::session
