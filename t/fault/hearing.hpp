// What a client that is told no positions got of one channel, over all of its
// connections: within each of them nothing may be missing, come twice or out of
// order. Where a message stands others tell, or the answer to its publisher; so
// it is judged once that is known, and those behind it wait for it.
//
// Between two connections messages may be missing, and are counted; so are
// those that come again, from a worker that isn't as far. Where what is missed
// is to be sent after (`returns`) nothing may be missing.
#pragma once

#include <array>
#include <deque>
#include <set>

#include "doubtful.hpp"
#include "ledger.hpp"

namespace paperboy::fault {

class Hearing {
 public:
  /// `name` is for complaints. Ledger and tally must outlive it.
  Hearing(std::string name, std::uint32_t channel, Ledger& ledger, Tally& tally,
          bool returns = false);

  /// It may get messages from here on. `told`: the client was told so, and
  /// what is published now has to come.
  void begins(bool told);
  /// Its connection is over. `noted`: so that what it misses from now on is to
  /// be sent after.
  void ends(bool noted = false);

  void receives(const Stamp& stamp);
  /// Judges what is known by now of what has come.
  void settle();
  /// The end of the run: `last` is what has to have come last.
  void finish(const Place& last);

  [[nodiscard]] bool has_begun() const { return listens_; }
  /// In this connection.
  [[nodiscard]] bool has_heard() const { return heard_; }
  /// Where it is, of what was judged; an epoch of 0: it doesn't know yet.
  [[nodiscard]] const Place& place() const { return place_; }
  [[nodiscard]] std::uint32_t channel() const { return channel_; }
  [[nodiscard]] bool is_of_user() const { return ledger_.is_of_user(channel_); }

 private:
  /// A message that has come; one without a number: a connection begins.
  struct Event {
    Stamp stamp;
    bool told = false;        ///< that it begins
    std::uint64_t begin = 0;  ///< then what is due is that behind it
    bool due = false;         ///< all that was missed in between
  };

  void settle(bool all);
  void judge(const Stamp& stamp, const Place& place);
  void first(const Stamp& stamp, const Place& place);
  void jump(const Stamp& stamp, const Place& place);
  void late(const Stamp& stamp, const Place& place);
  [[nodiscard]] bool is_in_doubt(const Ledger::Entry& entry) const;
  [[nodiscard]] bool lacks(std::uint64_t offset, const Place& place);
  [[nodiscard]] std::string here(const Stamp& stamp, const Place& place) const;
  void show();

  static constexpr std::size_t kLast = 16;

  std::string name_;
  std::uint32_t channel_;
  Ledger& ledger_;
  Tally& tally_;
  bool returns_;

  bool listens_ = false;
  bool heard_ = false;
  bool is_placed_ = false;      ///< by something that came in this connection
  bool is_sent_after_ = false;  ///< what was missed before this connection
  bool noted_ = false;          ///< the last connection's end
  std::uint64_t doubts_at_end_ = 0;
  std::deque<Event> waiting_;

  // Of the connection that is judged.
  bool fresh_ = true;        ///< nothing of it was judged
  bool told_ = false;        ///< that it has begun
  bool settled_ = false;     ///< something has come that was due
  std::uint64_t begin_ = 0;  ///< how many were published when it was let in
  bool due_ = false;         ///< all that was missed has to be sent after
  Place place_;
  Stamp at_;                         ///< what stands there
  std::uint64_t start_ = 0;          ///< the first offset in it
  Place repeats_;                    ///< up to here they may come again
  std::set<std::uint64_t> missing_;  ///< offsets that were passed over
  std::set<std::uint64_t> skipped_;  ///< the same, of what needn't come
  std::set<std::uint64_t> early_;    ///< came late, of before it was let in
  Doubtful doubtful_;
  std::uint64_t unplaced_ = 0;  ///< came, and nobody knows from where
  std::array<std::pair<Stamp, Place>, kLast> last_{};
  std::size_t next_last_ = 0;
};

}  // namespace paperboy::fault
