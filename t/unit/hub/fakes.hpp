// A broker that does what a test tells it, for tests of the hub and of what is
// built on it. As one on a network it may answer later (`hold_replies`), not
// know where a channel stands (`late`), and hear later of what the history
// already has (`lag`).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <new>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "hub/broker.hpp"
#include "hub/presence.hpp"

namespace paperboy::hub {

class FakeBroker final : public Broker {
  struct Record {
    ChannelRef ref;
    Position position;
    Kind kind;
    Event event;
    std::string data;
    std::string extra;
  };

 public:
  struct Entry {
    std::string name;
    Position top{7, 0};  // as the history has it
    std::uint32_t subscribers = 0;
    std::deque<Kept> kept;
    std::optional<Position> local{};  // as this node has it; none: the same
    std::vector<Record> far{};        // what this node has yet to hear of
  };

  Result<Subscribed> subscribe(Bytes channel, std::uint64_t most) override {
    if (refusal) return *refusal;
    const ChannelRef ref = ref_of(channel);
    if (most != 0 && entries.at(ref).subscribers >= most) {
      return Error{ErrorCode::channel_full, "full"};
    }
    if (late && entries.at(ref).subscribers == 0) {
      entries.at(ref).local = Position{};
    }
    ++entries.at(ref).subscribers;
    return Subscribed{ref, position(ref)};
  }

  void unsubscribe(ChannelRef ref) override { --entries.at(ref).subscribers; }

  void publish(const Draft& draft, const PublishReply& reply) override {
    if (std::exchange(out_of_memory, false)) throw std::bad_alloc();
    key = draft.idempotency_key;
    keyed.append(key).append("=").append(draft.data).append(";");
    if (refusal) {
      answer([reply, error = *refusal] { reply(error); });
      return;
    }
    const bool repeated =
        once && !key.empty() &&
        !used.insert({std::string(draft.channel), key}).second;
    const Position position =
        repeated ? entry(draft.channel).top : bring(draft);
    const Published outcome{position, entry(draft.channel).subscribers,
                            repeated};
    answer([reply, outcome] { reply(outcome); });
  }

  void history(Bytes channel, const HistoryQuery& query,
               const HistoryReply& reply) override {
    const std::string name(channel);
    ++histories;
    asked = query;
    if (std::exchange(out_of_memory, false)) throw std::bad_alloc();
    if (read_at_once && !refusal) {
      answer([reply, read = page(name, query)] { reply(read); });
      return;
    }
    answer([this, name, query, reply] {
      if (refusal) {
        reply(*refusal);
      } else {
        reply(page(name, query));
      }
    });
  }

  void remove_history(Bytes channel, const DoneReply& reply) override {
    entry(channel).kept.clear();
    answer([reply] { reply(Done{}); });
  }

  void release_history(Bytes, const Position& until) override {
    released = until;
  }

  Drained drain(BrokerEvents& events) override {
    std::size_t left = share;
    for (; left > 0 && !waiting.empty() && !events.has_enough(); --left) {
      const Record record = std::move(waiting.front());
      waiting.pop_front();
      events.on_publication(
          record.ref, {entries.at(record.ref).name, record.position,
                       record.kind, record.data, record.extra, record.event});
    }
    if (std::exchange(lose, false)) return Drained::lost;
    return waiting.empty() ? Drained::all : Drained::more;
  }

  Position position(ChannelRef ref) override {
    const Entry& of = entries.at(ref);
    return of.local.value_or(of.top);
  }
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
    return bring({.channel = channel, .kind = kind, .data = data});
  }

  /// Its last `keep.count` are kept, whatever else `keep` says.
  Position bring(const Draft& draft) {
    Entry& to = entry(draft.channel);
    if (draft.event == Event::message) ++to.top.offset;
    const Record record{ref_of(draft.channel),
                        to.top,
                        draft.kind,
                        draft.event,
                        std::string(draft.data),
                        std::string(draft.extra)};
    if (to.local) {
      to.far.push_back(record);
    } else {
      waiting.push_back(record);
    }
    if (draft.event == Event::message && draft.keep.count > 0) {
      to.kept.push_back({to.top, draft.kind, std::string(draft.data),
                         std::string(draft.extra)});
      while (to.kept.size() > draft.keep.count) to.kept.pop_front();
    }
    return to.top;
  }

  /// A record as it may lie in a log, whatever it means.
  void bring_at(Bytes channel, Position position, Bytes data,
                Kind kind = Kind::text, Event event = Event::message) {
    waiting.push_back(
        {ref_of(channel), position, kind, event, std::string(data), {}});
  }

  /// From now on this node hears later of the channel.
  void lag(Bytes channel) { entry(channel).local = entry(channel).top; }

  /// Now it does.
  void arrive(Bytes channel) {
    Entry& of = entry(channel);
    for (const Record& record : std::exchange(of.far, {})) {
      waiting.push_back(record);
    }
    of.local.reset();
  }

  /// The node learns where the channel stands, and of nothing before that.
  void anchor(Bytes channel) {
    entry(channel).far.clear();
    entry(channel).local.reset();
    bring_at(channel, entry(channel).top, {}, Kind::text, Event::anchor);
  }
  /// Which need not be where the history is.
  void anchor(Bytes channel, Position at) {
    entry(channel).local = at;
    bring_at(channel, at, {}, Kind::text, Event::anchor);
  }

  /// The channel begins anew; the node has yet to hear of it.
  void begin_anew(Bytes channel, std::uint64_t epoch) {
    lag(channel);
    entry(channel).top = {epoch, 0};
    entry(channel).kept.clear();
  }

  void answer_held() {
    for (const auto& reply : std::exchange(held, {})) reply();
  }

  /// The page that a history asks for, as it is now.
  HistoryPage page(Bytes channel, const HistoryQuery& query) {
    const Entry& from = entry(channel);
    HistoryPage made{from.top, {}};
    if (query.since && query.since->epoch != 0 &&
        query.since->epoch != from.top.epoch) {
      return made;
    }
    const auto take = [&](const Kept& kept) {
      const bool wanted =
          !query.since ||
          (query.reverse ? kept.position.offset < query.since->offset
                         : kept.position.offset > query.since->offset);
      if (!wanted || made.publications.size() >= query.limit) return;
      made.publications.push_back(kept);
    };
    if (query.reverse) {
      std::for_each(from.kept.rbegin(), from.kept.rend(), take);
    } else {
      std::for_each(from.kept.begin(), from.kept.end(), take);
    }
    return made;
  }

  [[nodiscard]] std::uint32_t subscribers() const {
    std::uint32_t sum = 0;
    for (const auto& [ref, entry] : entries) sum += entry.subscribers;
    return sum;
  }

  std::map<ChannelRef, Entry> entries;
  std::optional<Error> refusal;  // of all that is asked
  bool hold_replies = false;
  bool late = false;           // where a channel stands is known by its anchor
  bool read_at_once = false;   // histories, though the answer is held
  bool out_of_memory = false;  // at the next publish
  bool lose = false;           // the next drain is void
  bool once = false;           // a key is good for one publication
  std::string key{};           // of the last publish
  std::string keyed{};         // all of them: "key=data;"
  int histories = 0;           // that were asked for
  std::optional<HistoryQuery> asked{};  // the last
  Position released{};                  // up to where nobody needs what is kept
  std::size_t share = std::numeric_limits<std::size_t>::max();

 private:
  void answer(std::function<void()> reply) {
    if (hold_replies) {
      held.push_back(std::move(reply));
    } else {
      reply();
    }
  }

  std::set<std::pair<std::string, std::string>> used;  // channels and keys
  std::deque<Record> waiting;
  std::vector<std::function<void()>> held;
};

/// Who is in which channel, by the broker's refs.
class FakePresence final : public Presence {
 public:
  explicit FakePresence(FakeBroker& broker) : broker_(broker) {}

  Result<MemberRef> enter(ChannelRef ref, const Member& member,
                          bool announced) override {
    if (refusal) return *refusal;
    const MemberRef made{++last_};
    members_.emplace(made, Entry{ref, MemberRecord(member), announced});
    return made;
  }
  void leave(MemberRef ref) override { members_.erase(ref); }

  void members(Bytes channel, const Members& reply) override {
    std::vector<MemberRecord> found;
    for (const auto& [ref, entry] : members_) {
      if (broker_.name(entry.channel) == channel) found.push_back(entry.member);
    }
    reply(found);
  }
  void stats(Bytes channel, const Stats& reply) override {
    PresenceStats stats;
    std::map<std::string, int> users;
    for (const auto& [ref, entry] : members_) {
      if (broker_.name(entry.channel) != channel) continue;
      ++stats.clients;
      stats.users += ++users[entry.member.user] == 1 ? 1 : 0;
    }
    reply(stats);
  }

  [[nodiscard]] std::size_t size() const { return members_.size(); }

  std::optional<Error> refusal;

 private:
  struct Entry {
    ChannelRef channel;
    MemberRecord member;
    bool announced;
  };

  FakeBroker& broker_;
  std::map<MemberRef, Entry> members_;
  std::uint32_t last_ = 0;
};

}  // namespace paperboy::hub
