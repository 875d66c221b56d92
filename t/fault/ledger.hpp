// What was published and what became of it, and which publication stands at
// which position: the truth that every subscriber is held against.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "place.hpp"
#include "tally.hpp"

namespace paperboy::fault {

/// Pending: not answered yet. Unknown: its connection ended before the answer;
/// it may have been published, once.
enum class Fate : std::uint8_t { pending, acknowledged, refused, unknown };

/// How it was published: by HTTP, whose answer has its position, or such that
/// the answer has none: by notiflux's broadcast; by a topic of classic back
/// ends, which each node takes twice, and whose answer says but who listened.
enum class Way : std::uint8_t { http, broadcast, topic };

/// What is in doubt: notes of where clients were, for as long as it may come
/// out that the server has lost something; while something is broken those and
/// what topics bring, or all that is acknowledged without a position.
enum class Doubt : std::uint8_t { none, notes, topics, all };

class Ledger {
 public:
  struct Entry {
    std::uint64_t hash = 0;
    std::uint64_t serial = 0;  ///< how many had begun when it did
    Place place;               ///< once somebody told it
    Place again;               ///< where it stands in another epoch besides
    Fate fate = Fate::pending;
    Way way = Way::http;
    bool repeated = false;     ///< sent more than once, with its key
    bool heard = false;        ///< by somebody who was told no position
    std::uint32_t stands = 0;  ///< at how many places
    bool excused = false;      ///< may be lost, although it was acknowledged
    double answered = 1e12;    ///< when it was acknowledged
  };

  /// `users`: their own channels follow those that all may hear. What is said
  /// to a user has the order of its numbers, since one publisher says it, and
  /// stands at them in epoch kUserEpoch. `tally` must outlive it.
  Ledger(std::size_t publishers, std::size_t channels, Tally& tally,
         std::size_t users = 0);
  static constexpr std::uint64_t kUserEpoch = 1;

  /// The number that the publisher's next message in this channel has.
  [[nodiscard]] std::uint32_t next(std::uint32_t publisher,
                                   std::uint32_t channel) const;
  /// It is about to be sent. Its number has to be the next.
  void publish(const Stamp& stamp, Way way = Way::http);
  /// It is about to be sent again.
  void repeat(const Stamp& stamp);

  /// `now`: in seconds, of the loop's clock.
  void acknowledge(const Stamp& stamp, const Place& place, double now = 0);
  /// The same, without a position.
  void accept(const Stamp& stamp, double now = 0);
  void refuse(const Stamp& stamp);
  void lose(const Stamp& stamp);

  /// A subscriber got this here. Complains unless that was published, and if
  /// another stands there, or this elsewhere. False: it is no such message.
  bool claim(const Stamp& stamp, const Place& place);

  /// A client that is told no positions got this. Complains unless that was
  /// published. False: it is no such message.
  bool hear(const Stamp& stamp);
  /// Where it stands, in this epoch if it stands in several; nothing: nobody
  /// has told it yet.
  [[nodiscard]] std::optional<Place> where(const Stamp& stamp,
                                           std::uint64_t epoch) const;
  /// What stands there; null where that isn't known.
  [[nodiscard]] const Entry* standing(std::uint32_t channel,
                                      const Place& place) const;
  /// Its publisher and number; 0 where that isn't known.
  [[nodiscard]] Stamp stamp_at(std::uint32_t channel, const Place& place) const;

  /// From here on, and a moment before, and until `none`, what was acknowledged
  /// without a position may be lost.
  void doubt(Doubt doubt, double now);
  [[nodiscard]] Doubt doubt() const { return doubt_; }
  /// What was accepted since then, by topics, may be lost.
  void excuse(double since);
  /// How often that has changed.
  [[nodiscard]] std::uint64_t doubts() const { return doubt_changes_; }

  /// How many were about to be sent so far.
  [[nodiscard]] std::uint64_t begun() const { return begun_; }

  /// Null where no such number was published.
  [[nodiscard]] const Entry* find(std::uint32_t publisher,
                                  std::uint32_t channel,
                                  std::uint32_t number) const;
  /// Whether a subscriber in this epoch has to get it.
  [[nodiscard]] bool is_due(std::uint32_t publisher, std::uint32_t channel,
                            std::uint32_t number, std::uint64_t epoch) const;

  /// A server that has forgotten what it acknowledged may give an offset
  /// twice before that is noticed: the epoch forks. Then a complaint about
  /// such an epoch stands only if the channel is in it still at the end: who
  /// was told of its end was told that he can't trust it.
  void allow_forks() { forks_allowed_ = true; }
  enum class Kind : std::uint8_t { untold, duplicate, reorder, contradiction };
  /// A complaint, which may have a fork as its cause.
  void complain(Kind kind, std::uint32_t channel, std::uint64_t epoch,
                const std::string& text);
  /// The same, and it shows that the epoch has forked.
  void fork(std::uint32_t channel, std::uint64_t epoch,
            const std::string& text);
  /// The end: the last position of each channel that all may hear. What was
  /// accepted and has come nowhere is lost.
  void settle(const std::vector<Place>& ends);

  /// Of the channel's newest epoch, where a publication was acknowledged.
  [[nodiscard]] const Place& newest(std::uint32_t channel) const {
    return newest_[channel];
  }

  [[nodiscard]] std::size_t publishers() const { return publishers_; }
  [[nodiscard]] std::size_t channels() const { return channels_; }
  [[nodiscard]] bool is_of_user(std::uint32_t channel) const {
    return channel >= channels_;
  }
  [[nodiscard]] std::uint32_t user_channel(std::size_t user) const {
    return static_cast<std::uint32_t>(channels_ + user);
  }

 private:
  struct Who {
    std::uint32_t publisher = 0;
    std::uint32_t number = 0;  ///< 0: nobody yet
  };
  using Row = std::vector<Entry>;
  using Column = std::vector<Who>;

  [[nodiscard]] Entry* entry(const Stamp& stamp);
  [[nodiscard]] const Entry* come(const Stamp& stamp, const std::string& where);
  [[nodiscard]] bool is_in_doubt(const Entry& entry) const;
  void find_lost();
  void place(const Stamp& stamp, Entry& entry, const Place& place);
  static void advance(Place& newest, std::set<std::uint64_t>& left,
                      const Place& place);
  void file(Kind kind, const std::string& text);

  struct Charge {
    Kind kind;
    std::string text;
  };
  struct Doubts {
    bool forked = false;
    std::vector<Charge> charges;
  };

  std::size_t publishers_;
  std::size_t channels_;
  std::size_t all_;  ///< channels, with those of users
  Tally& tally_;
  std::vector<Row> rows_;  ///< by publisher and channel
  std::vector<std::map<std::uint64_t, Column>> columns_;  ///< by channel
  std::vector<Place> newest_;                             ///< by channel
  std::vector<std::set<std::uint64_t>> left_;  ///< epochs, by channel
  bool forks_allowed_ = false;
  std::uint64_t begun_ = 0;
  Doubt doubt_ = Doubt::none;
  std::uint64_t doubt_changes_ = 0;
  std::deque<Stamp> accepted_;  ///< those of the last minute
  /// By channel and epoch.
  std::map<std::pair<std::uint32_t, std::uint64_t>, Doubts> doubts_;
};

}  // namespace paperboy::fault
