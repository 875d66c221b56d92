#include "broker/redis_evidence.hpp"

#include <charconv>
#include <optional>
#include <utility>

#include "base/position.hpp"

namespace paperboy::broker::redis {

namespace {

static_assert(kBuckets == shm::kSightings);

constexpr std::size_t kIdDigits = 16;

std::optional<std::uint64_t> parse(Bytes digits, int base) {
  std::uint64_t value = 0;
  const char* const end = digits.data() + digits.size();
  const auto [at, error] = std::from_chars(digits.data(), end, value, base);
  if (error != std::errc() || at != end) return {};
  return value;
}

std::string generation_text(const shm::Sighting& it) {
  return std::to_string(it.generation) + '-' + epoch_text(it.salt);
}

std::string id_text(const shm::Sighting& it) {
  const std::string digits = epoch_text(it.source);
  return std::string(kIdDigits - digits.size(), '0') + digits;
}

/// Nothing: of another form than ours, so that the same text couldn't be made
/// of it again.
std::optional<shm::Sighting> sighting_of(const Seen& seen) {
  const Bytes generation = seen.generation;
  const std::size_t dash = generation.find('-');
  if (dash == Bytes::npos) return {};
  const auto number = parse(generation.substr(0, dash), 10);
  const auto salt = parse(generation.substr(dash + 1), 16);
  const auto source = parse(seen.replication_id, 16);
  if (!number || *number == 0 || !salt || !source) return {};
  const shm::Sighting it{*number, *salt, *source, seen.sequence};
  if (generation_text(it) != seen.generation) return {};
  if (id_text(it) != seen.replication_id) return {};
  return it;
}

}  // namespace

void Evidence::note_answer(Bucket bucket, Bytes generation,
                           Bytes replication_id, std::uint64_t sequence) {
  Seen& seen = seen_[bucket];
  const bool same_id = seen.replication_id == replication_id;
  const bool same_generation = seen.generation == generation;
  const bool of_it = same_id || seen.connection == connections_;
  seen.connection = connections_;
  if (same_generation && of_it && sequence < seen.sequence) return;
  if (!same_generation || !same_id) {
    seen.generation = generation;
    seen.replication_id = replication_id;
    seen.mark = 0;
  }
  seen.sequence = sequence;
  seen.heard = false;
  keep(bucket);
}

void Evidence::note_message(Bucket bucket, Bytes replication_id,
                            std::uint64_t sequence) {
  Seen& seen = seen_[bucket];
  const bool same_id = seen.replication_id == replication_id;
  // The same server under another id; or another one, whose script will say
  // what it has.
  if (!same_id && seen.connection != connections_) return;
  if (sequence <= seen.sequence) return;
  if (!same_id) {
    seen.replication_id = replication_id;
    seen.mark = 0;
  }
  seen.sequence = sequence;
  seen.heard = true;
}

void Evidence::reconnected(const std::function<bool(Bucket)>& concerns) {
  ++connections_;
  if (zone_ == nullptr) return;
  keep();
  const auto all = zone_->sightings();
  if (!all) return;
  for (Bucket bucket = 0; bucket < kBuckets; ++bucket) {
    if (concerns(bucket)) adopt(bucket, (*all)[bucket]);
  }
}

/// Noted on no connection: whose word a message is isn't known until a script
/// has answered. What it saw itself, on a server that parted from that of the
/// others, nobody else would show.
void Evidence::adopt(Bucket bucket, const shm::Sighting& sighting) {
  Seen& seen = seen_[bucket];
  const bool was_kept = seen.generation.empty() || sighting_of(seen);
  if (sighting.generation == 0 || !was_kept) return;
  Seen theirs{generation_text(sighting), id_text(sighting), sighting.sequence};
  const bool parted = seen.generation == theirs.generation &&
                      seen.replication_id != theirs.replication_id;
  if (parted && seen.connection != 0) return;
  seen = std::move(theirs);
}

void Evidence::keep() {
  for (Bucket bucket = 0; bucket < kBuckets; ++bucket) keep(bucket);
}

void Evidence::keep(Bucket bucket) {
  Seen& seen = seen_[bucket];
  if (zone_ == nullptr || seen.generation.empty()) return;
  const shm::SightingMark mark = seen.mark;
  if (mark != 0 && zone_->raise_sighting(bucket, mark, seen.sequence)) return;
  const auto sighting = sighting_of(seen);
  if (!sighting) return;
  const auto noted = zone_->note_sighting(bucket, *sighting);
  seen.mark = noted ? *noted : shm::SightingMark{0};
}

}  // namespace paperboy::broker::redis
