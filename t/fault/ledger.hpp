// What was published and what became of it, and which publication stands at
// which position: the truth that every subscriber is held against.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "place.hpp"
#include "tally.hpp"

namespace paperboy::fault {

/// Pending: not answered yet. Unknown: its connection ended before the answer;
/// it may have been published, once.
enum class Fate : std::uint8_t { pending, acknowledged, refused, unknown };

class Ledger {
 public:
  struct Entry {
    std::uint64_t hash = 0;
    Place place;  ///< once somebody told it
    Fate fate = Fate::pending;
    bool repeated = false;   ///< sent more than once, with its key
    double answered = 1e12;  ///< when it was acknowledged
  };

  /// `tally` must outlive it.
  Ledger(std::size_t publishers, std::size_t channels, Tally& tally);

  /// The number that the publisher's next message in this channel has.
  [[nodiscard]] std::uint32_t next(std::uint32_t publisher,
                                   std::uint32_t channel) const;
  /// It is about to be sent. Its number has to be the next.
  void publish(const Stamp& stamp);
  /// It is about to be sent again.
  void repeat(const Stamp& stamp);

  /// `now`: in seconds, of the loop's clock.
  void acknowledge(const Stamp& stamp, const Place& place, double now = 0);
  void refuse(const Stamp& stamp);
  void lose(const Stamp& stamp);

  /// A subscriber got this here. Complains unless that was published, and if
  /// another stands there, or this elsewhere. False: it is no such message.
  bool claim(const Stamp& stamp, const Place& place);

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
  /// The end: the last position of each channel.
  void settle(const std::vector<Place>& ends);

  /// Of the channel's newest epoch, where a publication was acknowledged.
  [[nodiscard]] const Place& newest(std::uint32_t channel) const {
    return newest_[channel];
  }

  [[nodiscard]] std::size_t publishers() const { return publishers_; }
  [[nodiscard]] std::size_t channels() const { return channels_; }

 private:
  struct Who {
    std::uint32_t publisher = 0;
    std::uint32_t number = 0;  ///< 0: nobody yet
  };
  using Row = std::vector<Entry>;
  using Column = std::vector<Who>;

  [[nodiscard]] Entry* entry(const Stamp& stamp);
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
  Tally& tally_;
  std::vector<Row> rows_;  ///< by publisher and channel
  std::vector<std::map<std::uint64_t, Column>> columns_;  ///< by channel
  std::vector<Place> newest_;                             ///< by channel
  std::vector<std::set<std::uint64_t>> left_;  ///< epochs, by channel
  bool forks_allowed_ = false;
  /// By channel and epoch.
  std::map<std::pair<std::uint32_t, std::uint64_t>, Doubts> doubts_;
};

}  // namespace paperboy::fault
