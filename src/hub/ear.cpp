#include "hub/ear.hpp"

#include "base/packing.hpp"

namespace paperboy::hub {

Result<Done> Ear::listen() {
  if (subscription_.active()) return Done{};
  const auto position = hub_.subscribe(subscription_, channel_, *this);
  if (!position) return position.error();
  return Done{};
}

/// A run is messages, each behind its size.
void Ear::encode(const Publication& publication, std::string& out) {
  put(out, publication.data);
}

void Ear::deliver(const Subscription&, Bytes run, std::uint32_t) {
  Unpacker in(run);
  while (!in.at_end()) messages_.emplace_back(in.text());
}

}  // namespace paperboy::hub
