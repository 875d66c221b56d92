//   departure = version at fingerprint count place*
//   place     = channel epoch offset unreceived sent
//
// Numbers and strings are those of base/packing.hpp.
#include "hub/departure.hpp"

#include <algorithm>

#include "base/packing.hpp"

namespace paperboy::hub {

namespace {

// Workers of two builds may share a zone while nginx is upgraded, or a Redis.
constexpr std::uint64_t kVersion = 1;

constexpr Bytes kLeft{"\0left\0", 6};
constexpr Bytes kTaken{"\0taken\0", 7};

constexpr std::uint32_t kMostKept = 64;
constexpr std::uint64_t kMostBytes = 64UL * 1024;

std::string key_of(Bytes kind, Bytes name_space, Bytes user) {
  std::string key(kind);
  return key.append(name_space).append(1, '\0').append(user);
}

}  // namespace

std::string left_channel(Bytes name_space, Bytes user) {
  return key_of(kLeft, name_space, user);
}

std::string taken_channel(Bytes name_space, Bytes user) {
  return key_of(kTaken, name_space, user);
}

Retention kept_departures(std::int64_t seconds) {
  return {.count = kMostKept,
          .bytes = kMostBytes,
          .age_ms = static_cast<std::uint64_t>(seconds) * 1000};
}

std::string encode(const Departure& departure) {
  std::string out;
  put(out, kVersion);
  put(out, static_cast<std::uint64_t>(departure.at));
  put(out, departure.fingerprint);
  put(out, departure.places.size());
  for (const Departure::Place& place : departure.places) {
    put(out, place.channel);
    put(out, place.position.epoch);
    put(out, place.position.offset);
    put(out, place.unreceived);
    put(out, place.sent);
  }
  return out;
}

std::optional<Departure> decode_departure(Bytes text) {
  Unpacker in(text);
  if (in.number() != kVersion) return {};
  Departure made;
  made.at = static_cast<std::int64_t>(in.number());
  made.fingerprint = in.number();
  for (std::uint64_t left = in.number(); left > 0 && in.good(); --left) {
    Departure::Place& place = made.places.emplace_back();
    place.channel = in.text();
    place.position.epoch = in.number();
    place.position.offset = in.number();
    place.unreceived = in.number();
    place.sent = in.number();
  }
  if (!in.done()) return {};
  return made;
}

std::vector<LeftPlace> places_left(const HistoryPage& page,
                                   std::uint64_t fingerprint, Bytes channel,
                                   std::int64_t since) {
  std::vector<LeftPlace> found;
  for (const Kept& kept : page.publications) {
    const auto departure = decode_departure(kept.data);
    if (!departure || departure->fingerprint != fingerprint ||
        departure->at < since) {
      continue;
    }
    for (std::size_t i = 0; i < departure->places.size(); ++i) {
      const Departure::Place& place = departure->places[i];
      if (place.channel != channel) continue;
      found.push_back(
          {place, position_text(kept.position) + ":" + std::to_string(i)});
    }
  }
  if (found.empty()) return found;
  const std::uint64_t epoch = found.back().place.position.epoch;
  std::erase_if(found, [epoch](const LeftPlace& one) {
    return one.place.position.epoch != epoch;
  });
  std::ranges::stable_sort(
      found, {}, [](const auto& one) { return one.place.position.offset; });
  return found;
}

}  // namespace paperboy::hub
