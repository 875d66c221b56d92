// Where in Redis what of a channel is. All of a channel's keys and its topic
// carry the hash tag of its bucket, so that a bucket is whole on one server,
// and one script may touch all of it.
//
//   <prefix>{N}            hash    the bucket; see redis_scripts.hpp
//   <prefix>{N}:c          zset    channels by the sequence of their last
//   <prefix>{N}:m:CHANNEL  hash    where the channel stands
//   <prefix>{N}:s:CHANNEL  stream  its last entries, ids OFFSET-0
//   <prefix>{N}:i:HASH     string  an idempotency key
//   <prefix>{N}:t:CHANNEL  topic   of pub/sub; of database 1 `:t1:`, and so on,
//                                  since topics are of no database
//   <prefix>{N}:p:CHANNEL  hash    who is in it: HOLDER/SERIAL -> member
//   <prefix>{N}:h:HOLDER   hash    what a holder has: SERIAL -> CHANNEL
//
// and once, with the tag {0}: who lives (redis_lease.hpp), and what back ends
// add (redis_inbox.hpp)
//
//   <prefix>{0}:l          zset    holders by the end of their leases
//   <prefix>{0}:d          zset    dead ones whose members are being removed
//   <prefix>{0}:b          zset    and those of whom nothing is left
//   <prefix>{0}:n          hash    nodes: UID -> the end of its lease, its info
//   <prefix>{0}:inbox      stream  of the back ends
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.hpp"

namespace paperboy::broker::redis {

/// Channels are divided into so many by a hash of their key (FNV-1a of 64
/// bits, its lowest byte): a constant of the format.
using Bucket = std::uint16_t;
inline constexpr Bucket kBuckets = 256;

[[nodiscard]] Bucket bucket_of(Bytes channel);

class Keys {
 public:
  explicit Keys(std::string prefix, std::uint32_t database = 0);

  [[nodiscard]] const std::string& prefix() const { return prefix_; }

  [[nodiscard]] std::string bucket(Bucket bucket) const;
  [[nodiscard]] std::string changed(Bucket bucket) const;
  [[nodiscard]] std::string meta(Bytes channel) const;
  [[nodiscard]] std::string stream(Bytes channel) const;
  [[nodiscard]] std::string topic(Bytes channel) const;
  [[nodiscard]] std::string members(Bytes channel) const;
  [[nodiscard]] std::string held(Bucket bucket, Bytes holder) const;
  [[nodiscard]] std::string leases() const { return bucket(0) + ":l"; }
  [[nodiscard]] std::string dead() const { return bucket(0) + ":d"; }
  [[nodiscard]] std::string buried() const { return bucket(0) + ":b"; }
  [[nodiscard]] std::string nodes() const { return bucket(0) + ":n"; }
  [[nodiscard]] std::string inbox() const { return bucket(0) + ":inbox"; }
  /// Of the pair, by its SHA-256.
  [[nodiscard]] std::string idempotency(Bytes channel, Bytes key) const;

  /// The channel of a topic; empty: it is none of ours.
  [[nodiscard]] Bytes channel_of(Bytes topic) const;

 private:
  [[nodiscard]] std::string key(Bytes channel, Bytes what) const;

  std::string prefix_;
  std::string topics_;  // what a topic has where keys have a letter
};

}  // namespace paperboy::broker::redis
