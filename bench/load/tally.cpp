#include "tally.hpp"

namespace paperboy::load {

namespace {

constexpr std::size_t kKinds = 64;

}  // namespace

void Tally::add(const Tally& other) {
  opened += other.opened;
  failed += other.failed;
  closed_by_server += other.closed_by_server;
  handshakes += other.handshakes;
  pings += other.pings;
  answered += other.answered;
  frames += other.frames;
  compressed += other.compressed;
  messages += other.messages;
  payload_bytes += other.payload_bytes;
  wire_bytes += other.wire_bytes;
  gaps += other.gaps;
  missing += other.missing;
  duplicates += other.duplicates;
  reorders += other.reorders;
  late_first += other.late_first;
  misdelivered += other.misdelivered;
  damaged += other.damaged;
  protocol_errors += other.protocol_errors;
  for (const auto& [kind, count] : other.errors) errors[kind] += count;
  connect.add(other.connect);
  latency.add(other.latency);
}

void Tally::begin() {
  latency.clear();
  connect.clear();
  messages = frames = payload_bytes = wire_bytes = handshakes = compressed = 0;
}

bool Tally::is_clean() const {
  return missing == 0 && duplicates == 0 && reorders == 0 && late_first == 0 &&
         misdelivered == 0 && damaged == 0 && protocol_errors == 0;
}

void Tally::note_error(const std::string& kind) {
  if (errors.size() < kKinds || errors.contains(kind)) ++errors[kind];
}

}  // namespace paperboy::load
