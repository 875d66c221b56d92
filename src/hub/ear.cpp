#include "hub/ear.hpp"

#include "base/packing.hpp"

namespace paperboy::hub {

Result<Done> Ear::listen() {
  if (subscription_.active()) return Done{};
  const auto position = hub_.subscribe(subscription_, channel_, *this);
  if (!position) return position.error();
  at_ = subscription_.position();
  return Done{};
}

/// A run is messages, each behind its size.
void Ear::encode(const Publication& publication, std::string& out) {
  put(out, publication.data);
  if (urgent_ != nullptr && urgent_(publication.data)) hub_.pause();
}

void Ear::deliver(const Subscription&, Bytes run, std::uint32_t count) {
  behind_ += count;
  Unpacker in(run);
  while (!in.at_end()) messages_.emplace_back(in.text());
}

void Ear::gap(const Subscription&) {
  gap_ = true;
  behind_ = 0;
}

bool Ear::lost() {
  if (!subscription_.active()) return false;
  const Position before = std::exchange(at_, subscription_.position());
  if (!std::exchange(gap_, false)) return false;
  const bool anew = at_.epoch != before.epoch;
  return !anew || before.offset > 0 || at_.offset > behind_;
}

}  // namespace paperboy::hub
