#include "dialect/event_id.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace paperboy::dialect {

namespace {

constexpr std::size_t kMaxTag = 8;  // hexadecimal digits
constexpr std::size_t kMaxPosition = 16 + 1 + 20;
static_assert(kMaxEventChannels * (kMaxTag + 1 + kMaxPosition + 1) <=
              kMaxEventId);

std::optional<Tag> parse_tag(Bytes text) {
  Tag tag = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, tag, 16);
  if (read.ec != std::errc() || read.ptr != end) return {};
  return tag;
}

}  // namespace

/// FNV-1a: any node has to make the same of a name. Two names of one tag are
/// told as a gap, never confused.
Tag channel_tag(Bytes name) {
  Tag tag = 2166136261U;
  for (const char c : name) {
    tag = (tag ^ static_cast<unsigned char>(c)) * 16777619U;
  }
  return tag;
}

void append_entry(std::string& id, Tag tag, const Position& position) {
  char text[kMaxTag];
  const auto end = std::to_chars(std::begin(text), std::end(text), tag, 16);
  if (!id.empty()) id += ',';
  id.append(text, end.ptr).append("=").append(position_text(position));
}

EventId::EventId(Bytes text) {
  if (text.size() > kMaxEventId) {
    everywhere_ = kNowhere;
    return;
  }
  everywhere_ = parse_position(text);
  while (!everywhere_) {
    const auto comma = text.find(',');
    if (!add(text.substr(0, comma))) everywhere_ = kNowhere;
    if (comma == Bytes::npos) break;
    text.remove_prefix(comma + 1);
  }
}

bool EventId::add(Bytes entry) {
  const auto equals = entry.find('=');
  if (equals == Bytes::npos) return false;
  const auto tag = parse_tag(entry.substr(0, equals));
  const auto position = parse_position(entry.substr(equals + 1));
  if (!tag || !position || find(*tag) != nullptr) return false;
  entries_.push_back({*tag, *position});
  return true;
}

const EventId::Entry* EventId::find(Tag tag) const {
  const auto found = std::ranges::find(entries_, tag, &Entry::tag);
  return found == entries_.end() ? nullptr : &*found;
}

Position EventId::in(Bytes channel) const {
  if (everywhere_) return *everywhere_;
  const Entry* const entry = find(channel_tag(channel));
  return entry == nullptr ? Position{} : entry->position;
}

}  // namespace paperboy::dialect
