// A worker's ear and mouth for revocations. They go through a channel of our
// own to all workers of all nodes, and its history is what those that come
// later read first. One a worker, on its event loop.
#pragma once

#include <cstddef>
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
  /// read. Goes on with what it couldn't do, and gives back what is over; once
  /// a second will do.
  Result<Done> listen();

  /// Those that were there before are to be taken once more.
  void read_again() { complete_ = false; }

  /// Whether all that were there before have been taken.
  [[nodiscard]] bool complete() const { return complete_; }

  /// How many there were from the oldest on that is to be remembered.
  [[nodiscard]] std::size_t remembered() const { return kept_.size(); }

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
  void have_told(const Revocation& revocation,
                 const Result<Published>& outcome);
  void forget_old();
  void give_back();
  [[nodiscard]] std::uint64_t unheard() const;

  Hub& hub_;
  const Clock& clock_;
  const RevocationLimits limits_;
  Taker taker_;
  Ear ear_;
  /// Until when each is to be remembered, as they were published: from the
  /// oldest that still is. No publication of the channel's is left out.
  std::deque<std::uint32_t> kept_;
  std::uint64_t asked_ = 0;  // to be published, and not answered yet
  Position told_;            // of the last that was answered
  bool complete_ = false;
  bool reading_ = false;
  std::shared_ptr<Revoker*> self_ = std::make_shared<Revoker*>(this);
};

}  // namespace paperboy::hub
