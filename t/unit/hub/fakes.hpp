// A broker that does what a test tells it, for tests of the hub and of what is
// built on it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hub/broker.hpp"

namespace paperboy::hub {

class FakeBroker final : public Broker {
 public:
  struct Entry {
    std::string name;
    Position top{7, 0};
    std::uint32_t subscribers = 0;
  };

  Result<Subscribed> subscribe(Bytes channel) override {
    if (refusal) return *refusal;
    const ChannelRef ref = ref_of(channel);
    ++entries.at(ref).subscribers;
    return Subscribed{ref, entries.at(ref).top};
  }

  void unsubscribe(ChannelRef ref) override { --entries.at(ref).subscribers; }

  void publish(Bytes channel, Kind kind, Bytes data,
               const PublishReply& reply) override {
    Result<Published> outcome = Error{ErrorCode::internal, {}};
    if (refusal) {
      outcome = *refusal;
    } else {
      const Position position = bring(channel, data, kind);
      outcome = Published{position, entries.at(ref_of(channel)).subscribers};
    }
    if (hold_replies) {
      held.emplace_back([reply, outcome] { reply(outcome); });
    } else {
      reply(outcome);
    }
  }

  Drained drain(BrokerEvents& events) override {
    std::size_t left = share;
    for (; left > 0 && !waiting.empty(); --left) {
      const Record record = std::move(waiting.front());
      waiting.pop_front();
      events.on_publication(record.ref,
                            {entries.at(record.ref).name, record.position,
                             record.kind, record.data});
    }
    if (std::exchange(lose, false)) return Drained::lost;
    return waiting.empty() ? Drained::all : Drained::more;
  }

  Position position(ChannelRef ref) override { return entries.at(ref).top; }
  Bytes name(ChannelRef ref) override { return entries.at(ref).name; }

  ChannelRef ref_of(Bytes channel) {
    for (const auto& [ref, entry] : entries) {
      if (entry.name == channel) return ref;
    }
    const ChannelRef ref{static_cast<std::uint32_t>(entries.size() + 1)};
    entries[ref].name = channel;
    return ref;
  }

  Entry& entry(Bytes channel) { return entries.at(ref_of(channel)); }

  /// The next publication of a channel, as from another worker.
  Position bring(Bytes channel, Bytes data, Kind kind = Kind::text) {
    Position& top = entry(channel).top;
    ++top.offset;
    bring_at(channel, top, data, kind);
    return top;
  }

  /// A record as it may lie in a log, whatever it means.
  void bring_at(Bytes channel, Position position, Bytes data,
                Kind kind = Kind::text) {
    waiting.push_back({ref_of(channel), position, kind, std::string(data)});
  }

  void answer_held() {
    for (const auto& reply : std::exchange(held, {})) reply();
  }

  [[nodiscard]] std::uint32_t subscribers() const {
    std::uint32_t sum = 0;
    for (const auto& [ref, entry] : entries) sum += entry.subscribers;
    return sum;
  }

  std::map<ChannelRef, Entry> entries;
  std::optional<Error> refusal;  // of all that is asked
  bool hold_replies = false;
  bool lose = false;  // the next drain is void
  std::size_t share = std::numeric_limits<std::size_t>::max();

 private:
  struct Record {
    ChannelRef ref;
    Position position;
    Kind kind;
    std::string data;
  };

  std::deque<Record> waiting;
  std::vector<std::function<void()>> held;
};

}  // namespace paperboy::hub
