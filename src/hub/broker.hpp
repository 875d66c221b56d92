// The port through which a worker hears the others: on this machine through
// shared memory, from other machines through a message broker. Each worker has
// one, on its event loop; it outlives the hub that uses it.
//
// A broker orders the publications of a channel, gives each its position, keeps
// what the channel's rule says, and hands every worker those of the channels it
// subscribed to, in order. What it can't hand over it says (a jump of offsets,
// an anchor, or `lost`); it never skips silently.
//
// What a call borrows is good for that call. A reply comes once, during the
// call or in a later turn, but never during `drain`; one that the network keeps
// from coming is an Error, `unavailable`, after a while.
#pragma once

#include <cstdint>
#include <functional>

#include "base/history.hpp"
#include "base/publication.hpp"
#include "base/result.hpp"

namespace paperboy::hub {

/// A channel in the node's directory; valid while the worker subscribes to it.
enum class ChannelRef : std::uint32_t {};

struct Subscribed {
  ChannelRef ref;
  Position top;  // of the last publication: the next one will be delivered.
                 // Epoch 0: not known yet; an Event::anchor will say, before
                 // anything else comes
};

struct Published {
  Position position;
  std::uint64_t subscribers;  // on this node, when it was published
  bool repeated = false;      // the position is that of an earlier publication
                              // with the same idempotency key
};

/// A publication that is answered with a position will reach every worker that
/// subscribes to its channel.
using PublishReply = std::function<void(const Result<Published>&)>;
using HistoryReply = std::function<void(const Result<HistoryPage>&)>;
using DoneReply = std::function<void(const Result<Done>&)>;

/// The reverse direction: what a broker tells its worker during `drain`.
class BrokerEvents {
 public:
  BrokerEvents() = default;
  BrokerEvents(const BrokerEvents&) = delete;
  BrokerEvents& operator=(const BrokerEvents&) = delete;
  virtual ~BrokerEvents() = default;

  /// The next publication of a channel; its bytes are good for this call only.
  virtual void on_publication(ChannelRef ref,
                              const Publication& publication) = 0;

  /// What comes next is to wait for another drain, which is to be soon.
  [[nodiscard]] virtual bool has_enough() const { return false; }
};

enum class Drained : std::uint8_t {
  all,   // nothing is left
  more,  // a bounded share was handed over: call again, soon
  lost,  // this worker was too slow. What this call handed over is void, and
         // what came before `position()` of each channel has to be read from
         // its history
};

class Broker {
 public:
  Broker() = default;
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;
  virtual ~Broker() = default;

  /// Counts one more subscriber of this worker to `channel`, unless the node
  /// has `most` of them already; 0: no limit. Error: channel_full.
  virtual Result<Subscribed> subscribe(Bytes channel, std::uint64_t most) = 0;

  /// Takes one subscriber away again. REQUIRES: one `subscribe` each.
  virtual void unsubscribe(ChannelRef ref) = 0;

  virtual void publish(const Draft& draft, const PublishReply& reply) = 0;

  /// Hands a bounded share of what waits to `events`. Called on every wake-up.
  virtual Drained drain(BrokerEvents& events) = 0;

  /// The last position of a channel that this worker subscribes to; of epoch 0
  /// as long as it isn't known.
  virtual Position position(ChannelRef ref) = 0;

  /// Its name; the bytes live as long as the subscription.
  virtual Bytes name(ChannelRef ref) = 0;

  /// What is kept of a channel. Its top is no less than what this worker knew
  /// of the channel before it asked, or of a newer epoch. Errors: not_found
  /// (there is no such channel), unavailable.
  virtual void history(Bytes channel, const HistoryQuery& query,
                       const HistoryReply& reply) = 0;

  /// Forgets what is kept; positions go on. Of no channel: nothing to do.
  virtual void remove_history(Bytes channel, const DoneReply& reply) = 0;

  /// Nobody needs what is kept up to there: a hint, for who is short of room.
  virtual void release_history(Bytes /*channel*/, const Position& /*until*/) {}
};

}  // namespace paperboy::hub
