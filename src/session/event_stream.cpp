// All clients of one channel share the same bytes, whose ids are the channel's
// positions. Where a stream has several channels each event's id is replaced
// on its way by the positions in all of them, as of this event.
#include "session/event_stream.hpp"

#include <algorithm>
#include <cassert>
#include <random>

#include "dialect/sse.hpp"
#include "hub/key.hpp"

namespace paperboy::session {

using dialect::Sse;

namespace {

constexpr Bytes kComment = ":\n\n";
constexpr Bytes kEventEnd = "\n\n";

}  // namespace

struct EventStream::Place {
  dialect::Tag tag;
  Position position;  // of the last publication that it has; epoch 0: none yet
  const hub::Subscription* of = nullptr;  // once something came for it
};

EventStream::EventStream(const Site& site) : Link(site) {}

EventStream::~EventStream() = default;

Result<Done> EventStream::open(const Admission& admission) {
  const auto& channels = admission.channels;
  if (channels.size() > dialect::kMaxEventChannels) {
    return Error{ErrorCode::subscription_limit,
                 "a stream of events has at most 80 channels"};
  }
  if (channels.size() > 1) note_places(admission);
  transport().write("retry: " + std::to_string(retry_ms()) + "\n\n");
  opening_ = true;
  const auto opened = Link::open(admission);
  opening_ = false;
  if (!opened) return opened;
  if (places_ && !closing()) {
    std::string id(Sse::kId);
    append_id(id);
    // An empty one would say that it was nowhere.
    if (id.size() > Sse::kId.size()) transport().write(id.append(kEventEnd));
  }
  return Done{};
}

void EventStream::start() {
  beat_ = now();
  arm();
  announce();
}

/// Half of the time that is configured and up to one and a half: not all are to
/// come back at once.
std::uint64_t EventStream::retry_ms() const {
  std::random_device random;
  const std::uint64_t ms = settings().retry_ms;
  return ms / 2 + (ms == 0 ? 0 : random() % ms);
}

// ---- out -------------------------------------------------------------------

Encoder& EventStream::encoder(bool) {
  return context().codecs.encoder({.dialect = settings().dialect});
}

/// Nobody is answered.
void EventStream::message(const dialect::Message&) {}

void EventStream::run(const hub::Subscription& from, Bytes encoded,
                      std::uint32_t count) {
  if (encoded.empty()) return;
  if (places_) {
    copied(from, encoded, count);
  } else if (passes(encoded, count)) {
    transport().write_shared(encoded);
  }
}

void EventStream::copied(const hub::Subscription& from, Bytes encoded,
                         std::uint32_t count) {
  if (encoded.empty()) return;
  if (!places_) {
    if (passes(encoded, count)) transport().write(encoded);
    return;
  }
  const std::string own = with_ids(place(from), encoded);
  if (passes(own, count)) transport().write(own);
}

void EventStream::tell_gap(const hub::Subscription& at) {
  if (closing()) return;
  std::string event;
  dialect::append_gap(event, hub::channel_name(at.channel_name()));
  send(event);
}

/// An event without data, which sets the id and is seen by nobody.
void EventStream::begins(const hub::Subscription& at,
                         const Position& position) {
  std::string id(Sse::kId);
  if (places_) {
    place(at).position = position;
    if (opening_) return;
    append_id(id);
  } else {
    id += position_text(position);
  }
  if (!closing()) send(id.append(kEventEnd));
}

// ---- ids -------------------------------------------------------------------

/// Where the client says that it is stands in the ids until there is more to
/// say: else what it hears of one channel would make it forget the others.
void EventStream::note_places(const Admission& admission) {
  places_ = std::make_unique<std::vector<Place>>();
  for (std::size_t i = 0; i < admission.channels.size(); ++i) {
    const Bytes name = hub::channel_name(admission.channels[i]);
    places_->push_back({dialect::channel_tag(name), i < admission.since.size()
                                                        ? admission.since[i]
                                                        : Position{}});
  }
}

EventStream::Place& EventStream::place(const hub::Subscription& of) {
  const auto known = std::ranges::find(*places_, &of, &Place::of);
  if (known != places_->end()) return *known;
  const auto tag = dialect::channel_tag(hub::channel_name(of.channel_name()));
  const auto first = std::ranges::find_if(*places_, [tag](const Place& one) {
    return one.of == nullptr && one.tag == tag;
  });
  assert(first != places_->end());
  first->of = &of;
  return *first;
}

void EventStream::append_id(std::string& out) const {
  std::string id;
  for (const Place& place : *places_) {
    if (place.position.epoch == 0) continue;
    dialect::append_entry(id, place.tag, place.position);
  }
  out += id;
}

/// See dialect/sse.hpp for what an event looks like.
std::string EventStream::with_ids(Place& place, Bytes run) {
  std::string out;
  while (!run.empty()) {
    Bytes event = run.substr(0, run.find(kEventEnd) + kEventEnd.size());
    run.remove_prefix(event.size());
    if (event.starts_with(Sse::kId)) {
      const auto line = event.find('\n');
      const Bytes id = event.substr(0, line).substr(Sse::kId.size());
      place.position = parse_position(id).value();
      out += Sse::kId;
      append_id(out);
      event.remove_prefix(line);
    }
    out += event;
  }
  return out;
}

// ---- time ------------------------------------------------------------------

std::optional<std::uint64_t> EventStream::heartbeat_in() const {
  return left(beat_, settings().ping_interval_ms);
}

void EventStream::heartbeat() {
  if (heartbeat_in() != 0U) return;
  beat_ = now();
  send(kComment);
}

// ---- the end ---------------------------------------------------------------

void EventStream::say_end(const Close& close) {
  std::string event;
  dialect::append_close(event, close, retry_ms());
  transport().write(event);
  finish();
}

}  // namespace paperboy::session
