// The port to who is in a channel, over all workers. Each worker has one, on
// its event loop; it outlives the hub that uses it. Who enters belongs to this
// worker: members of one that died are gone, and announced as having left
// where their channel announces that.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/member.hpp"
#include "base/result.hpp"
#include "hub/broker.hpp"

namespace paperboy::hub {

/// A member of this worker's.
enum class MemberRef : std::uint32_t {};

class Presence {
 public:
  using Members = std::function<void(const Result<std::vector<MemberRecord>>&)>;
  using Stats = std::function<void(const Result<PresenceStats>&)>;

  Presence() = default;
  Presence(const Presence&) = delete;
  Presence& operator=(const Presence&) = delete;
  virtual ~Presence() = default;

  /// REQUIRES: this worker subscribes to the channel until `leave`.
  /// `announced`: its join was told to the channel, and so is its leave if
  /// this worker dies. Errors: too_many_channels (no room), too_large,
  /// unavailable.
  virtual Result<MemberRef> enter(ChannelRef ref, const Member& member,
                                  bool announced) = 0;
  virtual void leave(MemberRef ref) = 0;

  /// Answers once, during the call or later; of a channel that nobody is in,
  /// with nobody. Errors: unavailable.
  virtual void members(Bytes channel, const Members& reply) = 0;
  virtual void stats(Bytes channel, const Stats& reply) = 0;
};

}  // namespace paperboy::hub
