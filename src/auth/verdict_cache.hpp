// What a back end was asked lately, and how it decided, so that it isn't asked
// again by each of a thousand connections of one user. Bounded by bytes: what
// was used least lately goes. One a process and location: no lock, and nothing
// that a reload would have to trust.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>

#include "auth/decision.hpp"
#include "base/bytes.hpp"

namespace paperboy::auth {

/// How it decided.
struct Verdict {
  int status = 0;  // of its answer: 2xx lets in, 401 and 403 don't
  Decision decision;
  std::size_t size = 0;  // bytes of the answer

  [[nodiscard]] bool allows() const { return status >= 200 && status < 300; }
};

class VerdictCache {
 public:
  /// `room`: bytes.
  explicit VerdictCache(std::size_t room) : room_(room) {}

  /// Null: it isn't known any more. `now_ms` is monotonic.
  [[nodiscard]] std::shared_ptr<const Verdict> find(Bytes key,
                                                    std::uint64_t now_ms);

  /// Good until `until_ms`. What has no room is left out.
  void put(Bytes key, std::shared_ptr<const Verdict> verdict,
           std::uint64_t until_ms);

  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string key;  // its hash
    std::shared_ptr<const Verdict> verdict;
    std::uint64_t until_ms;
    std::size_t cost;
  };
  using Entries = std::list<Entry>;

  void drop(Entries::iterator entry);

  const std::size_t room_;
  std::size_t used_ = 0;
  Entries entries_;  // the one used last is the first
  std::unordered_map<Bytes, Entries::iterator> by_key_;  // names are entries'
};

}  // namespace paperboy::auth
