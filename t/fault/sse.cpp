#include "sse.hpp"

#include <algorithm>

#include "wire.hpp"

namespace paperboy::fault {

namespace {

/// The tag of a channel in an id of several: FNV-1a, 32 bits.
std::uint32_t tag_of(Bytes name) {
  std::uint32_t hash = 2166136261U;
  for (const char c : name) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  }
  return hash;
}

}  // namespace

void EventSubscriber::greet() {
  streaming_ = false;
  text_.clear();
  gaps_.assign(witnesses().size(), false);
  positioned_.assign(witnesses().size(), false);
  std::string request = "GET /sse?";
  for (std::size_t i = 0; i < witnesses().size(); ++i) {
    request += i == 0 ? "c=" : "&d=";
    request += channel_name(witnesses()[i].channel());
  }
  request += " HTTP/1.1\r\nHost: fault\r\nAccept: text/event-stream\r\n";
  if (!id_.empty()) request += "Last-Event-ID: " + id_ + "\r\n";
  socket().write(request + "\r\n");
}

bool EventSubscriber::answered(Bytes head) {
  streaming_ = status_of(head) == 200;
  if (!streaming_) {
    ++stage().tally.ends["status " + std::to_string(status_of(head))];
  }
  return streaming_;
}

bool EventSubscriber::take(Bytes& bytes) {
  if (!streaming_) {
    Bytes head;
    if (!take_head(bytes, head)) return true;
    if (!answered(head)) return false;
  }
  Bytes data;
  Taken taken = Taken::whole;
  while ((taken = take_chunk(bytes, data)) == Taken::whole && !data.empty()) {
    text_ += data;
    Bytes rest = text_;
    for (std::size_t end = 0; (end = rest.find("\n\n")) != Bytes::npos;) {
      event(rest.substr(0, end + 1));
      rest.remove_prefix(end + 2);
    }
    text_.erase(0, text_.size() - rest.size());
  }
  if (taken == Taken::broken)
    stage().tally.contradiction(name() + ": no chunk");
  return taken == Taken::more;
}

void EventSubscriber::event(Bytes block) {
  Bytes id, name, data;
  while (const auto line = take_line(block)) {
    if (line->starts_with("id: ")) id = line->substr(4);
    if (line->starts_with("event: ")) name = line->substr(7);
    if (line->starts_with("data: ")) data = line->substr(6);
  }
  if (name == "gap") return gap(data);
  if (name == "close") {
    ++stage().tally.ends["close " + std::string(json_member(data, "code"))];
    return;
  }
  if (id.empty()) return;
  id_ = id;
  begins(id);
  if (data.empty()) return stands(id);
  const std::uint32_t channel = read_stamp(data).channel;
  deliver(data, place_in(id, channel));
}

/// Of the channel that the data names.
void EventSubscriber::gap(Bytes data) {
  const Bytes channel = json_string(json_member(data, "channel"));
  for (std::size_t i = 0; i < witnesses().size(); ++i) {
    Witness& here = witnesses()[i];
    if (channel_name(here.channel()) != channel) continue;
    if (!positioned_[i]) ++stage().tally.counts.unrecovered;
    if (positioned_[i]) note_gap();
    gaps_[i] = true;
    here.told();
  }
}

/// The first id of a stream that has a channel's place, be it with what was
/// missed or without data.
void EventSubscriber::begins(Bytes id) {
  for (std::size_t i = 0; i < witnesses().size(); ++i) {
    if (positioned_[i]) continue;
    Witness& here = witnesses()[i];
    const Place place = place_in(id, here.channel());
    if (place.epoch == 0) continue;
    positioned_[i] = true;
    if (here.place().epoch == 0) {
      here.begins(place);
    } else if (!gaps_[i]) {
      ++stage().tally.counts.recovered;
    }
  }
  if (std::ranges::all_of(positioned_, [](bool is) { return is; })) live();
}

/// An id without data says where all channels stand.
void EventSubscriber::stands(Bytes id) {
  for (Witness& here : witnesses()) {
    const Place place = place_in(id, here.channel());
    if (place.epoch != 0) here.stands(place);
  }
}

/// In an id of one channel, "<epoch>:<offset>"; of several, "<tag>=" and that,
/// with commas between. An epoch of 0 where it isn't there.
Place EventSubscriber::place_in(Bytes id, std::uint32_t channel) const {
  if (id.find('=') == Bytes::npos) return parse_place(id);
  const std::string tag = epoch_text(tag_of(channel_name(channel)));
  while (!id.empty()) {
    const Bytes entry = id.substr(0, id.find(','));
    id.remove_prefix(std::min(id.size(), entry.size() + 1));
    const std::size_t equals = entry.find('=');
    if (parse_epoch(entry.substr(0, equals)) == parse_epoch(tag)) {
      return parse_place(entry.substr(equals + 1));
    }
  }
  return {};
}

}  // namespace paperboy::fault
