// What one subscriber got of one channel, held against the promises as it
// comes: in the order of the offsets, nothing twice, and each hole told.
//
// It believes nothing of the ledger's about order: it looks at offsets, and
// besides at each publisher's own numbers, of which a publication without an
// offset of its own, or one that was acknowledged and never given an offset,
// can't hide.
#pragma once

#include <array>
#include <set>
#include <vector>

#include "ledger.hpp"

namespace paperboy::fault {

class Witness {
 public:
  /// `name` is for complaints. Ledger and tally must outlive it.
  Witness(std::string name, std::uint32_t channel, Ledger& ledger,
          Tally& tally);

  /// It came for the first time: what follows comes after this.
  void begins(const Place& place);
  /// It came back, and was given all that it missed up to `place`. Called when
  /// those publications have been received.
  void recovered(const Place& place);
  /// It came back or stayed, and was told of a hole that ends here.
  void told(const Place& place);
  /// The same, where the channel goes on at a place that isn't known yet.
  void told();
  /// It is told, without a publication, where the channel stands.
  void stands(const Place& place);

  void receives(const Stamp& stamp, const Place& place);

  /// The end of the run: `last` is the last publication of the channel, and it
  /// got that; or else what is missing is a hole that wasn't told.
  void ends(const Place& last);

  /// Where it is; an epoch of 0: it doesn't know yet.
  [[nodiscard]] const Place& place() const { return place_; }
  [[nodiscard]] std::uint32_t channel() const { return channel_; }

 private:
  struct Event {
    Place place;
    std::uint32_t publisher = 0;
    std::uint32_t number = 0;
  };
  /// Of a publisher: between `from` and `last` all that was due has come, but
  /// for what stands in `missing_`. Nothing is known where `last` is 0.
  struct Numbers {
    std::uint32_t from = 0;
    std::uint32_t last = 0;
  };

  void restart(const Place& place);
  bool in_order(const Stamp& stamp, const Place& place);
  void late(const Stamp& stamp, const Place& place);
  void jump(const Stamp& stamp, const Place& place);
  void check_numbers(const Stamp& stamp);
  void remember(const Stamp& stamp, const Place& place);
  [[nodiscard]] std::string here(const Stamp& stamp, const Place& place) const;
  void show_events();

  static constexpr std::size_t kEvents = 16;

  std::string name_;
  std::uint32_t channel_;
  Ledger& ledger_;
  Tally& tally_;
  Place place_;
  std::uint64_t start_ = 0;  ///< the offset where this run of offsets began
  bool lost_place_ = false;  ///< told of a hole, the next place isn't known
  std::set<std::uint64_t> missing_;  ///< offsets that were passed over
  std::vector<Numbers> numbers_;     ///< by publisher
  std::array<Event, kEvents> events_{};
  std::size_t next_event_ = 0;
};

}  // namespace paperboy::fault
