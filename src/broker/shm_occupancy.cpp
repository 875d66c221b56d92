#include "broker/shm_occupancy.hpp"

#include <string>
#include <utility>

namespace paperboy::broker::shm {

void Occupancy::format(std::uint64_t number) { header().changes = number; }

void Occupancy::begin(Watcher* watcher) {
  watcher_ = watcher;
  undecided_ = true;
}

void Occupancy::decide() {
  undecided_ = false;
  Transaction tx(view_);
  tx.set(header().watched, watcher_ != nullptr ? 1 : 0);
  ask_for_round(tx, view_);
  tx.commit();
}

bool Occupancy::note(Channel& channel, Bytes name) {
  const bool subscribed = channel.interests != 0;
  if (subscribed == ((channel.form & Channel::kTold) != 0)) return true;
  const bool mine = watcher_ != nullptr && remember(name, subscribed);
  Transaction tx(view_);
  if (mine) {
    tx.set(channel.form,
           static_cast<std::uint16_t>(channel.form ^ Channel::kTold));
    tx.set(header().changes, header().changes + 1);
  } else {
    ask_for_round(tx, view_);
  }
  tx.commit();
  return mine;
}

/// False: there is no memory for it now.
bool Occupancy::remember(Bytes name, bool subscribed) noexcept {
  try {
    changes_.push_back({std::string(name), subscribed, header().changes + 1});
  } catch (...) {
    return false;
  }
  ++noted_;
  return true;
}

/// From where the last one is, or ended: whoever asks again and again doesn't
/// keep it from any channel.
void Occupancy::ask_for_round(Transaction& tx, View view) {
  DirectoryHeader& header = view.header().directory;
  const std::uint64_t all = view.geometry().buckets;
  if (header.watched == 0 || header.round_left == all) return;
  tx.set(header.round_left, all);
}

void Occupancy::tell() noexcept {
  if (changes_.empty()) return;
  const auto changes = std::exchange(changes_, {});
  if (watcher_ == nullptr) return;
  for (const Change& change : changes) watcher_->changed(change);
}

}  // namespace paperboy::broker::shm
