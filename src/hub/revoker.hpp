// A worker's ear and mouth for revocations. They go through a channel of our
// own to all workers of all nodes, and its history is what those that come
// later read first. One a worker, on its event loop.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/revocation.hpp"
#include "hub/ear.hpp"
#include "hub/hub.hpp"

namespace paperboy::hub {

/// The key of the channel in which they go; no name makes it.
inline constexpr Bytes kRevocations{"\0revocations", 12};

struct RevocationLimits {
  std::uint32_t most = 10'000;     // that are remembered at a time
  std::uint32_t seconds = 86'400;  // that one is remembered at most
};

/// What the channel keeps of them. More than `most`: workers that revoke at the
/// same time don't know of each other's last ones.
[[nodiscard]] Retention kept_revocations(const RevocationLimits& limits);

class Revoker final {
 public:
  /// What is done with all that are heard, or that were there before.
  using Taker = std::function<void(const Revocation&)>;

  /// `hub` and `clock` must outlive this.
  Revoker(Hub& hub, const Clock& clock, const RevocationLimits& limits,
          Taker taker);
  ~Revoker();
  Revoker(const Revoker&) = delete;
  Revoker& operator=(const Revoker&) = delete;

  /// From now on they reach this worker, and those that were there before are
  /// read. Goes on with what it couldn't do; once a second will do.
  Result<Done> listen();

  /// Whether all that were there before have been taken.
  [[nodiscard]] bool complete() const { return complete_; }

  /// After a drain: takes what came. False: nothing did.
  bool look();

  /// What is to be revoked. Without `before`: what names a token, whenever it
  /// was issued; else what was issued up to now. `seconds`: it is remembered;
  /// 0: as long as may be.
  struct Wish {
    Revocation revocation;
    std::optional<std::uint32_t> before;
    std::uint64_t seconds = 0;
  };

  /// Tells all workers, this one too. Errors: bad_request (it names nothing, or
  /// is to be remembered longer than may be), too_large (as many are remembered
  /// as may be), unavailable (what was revoked isn't known yet), and those of
  /// publish.
  void revoke(const Wish& wish, const DoneReply& reply);

 private:
  void read(const Position& since);
  void have_read(const Result<HistoryPage>& page);
  bool take(Bytes message);
  void forget_old();

  Hub& hub_;
  const Clock& clock_;
  const RevocationLimits limits_;
  Taker taker_;
  Ear ear_;
  /// Until when each is to be remembered, as they were published: from the
  /// oldest that still is.
  std::deque<std::uint32_t> kept_;
  bool complete_ = false;
  bool reading_ = false;
  std::shared_ptr<Revoker*> self_ = std::make_shared<Revoker*>(this);
};

}  // namespace paperboy::hub
