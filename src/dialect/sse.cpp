#include "dialect/sse.hpp"

#include <algorithm>
#include <array>

#include "base/base64.hpp"
#include "base/json_text.hpp"

namespace paperboy::dialect {

namespace {

constexpr Bytes kBinary = "binary";
constexpr Bytes kBinaryPrefix = "binary:";

// EventSource's own events, and ours.
constexpr std::array<Bytes, 6> kTaken{"open",  "message", "error",
                                      "close", "gap",     kBinary};

void append_line(std::string& out, Bytes field, Bytes value) {
  out.append(field).append(value).append(1, '\n');
}

/// LF, CR and CR LF end a line; the client puts an LF between two.
void append_data(std::string& out, Bytes text) {
  for (;;) {
    const auto end = text.find_first_of("\r\n");
    append_line(out, "data: ", text.substr(0, end));
    if (end == Bytes::npos) return;
    const bool both = text.substr(end, 2) == "\r\n";
    text.remove_prefix(end + (both ? 2 : 1));
  }
}

}  // namespace

const Dialect& sse(EventNames names) {
  static const Sse plain(EventNames::off);
  static const Sse named(EventNames::channel);
  return names == EventNames::off ? plain : named;
}

bool can_name_events(Bytes channel) {
  return channel.find_first_of("\r\n") == Bytes::npos &&
         !channel.starts_with(kBinaryPrefix) &&
         std::ranges::find(kTaken, channel) == kTaken.end();
}

Decoded Sse::decode(std::optional<Message>&) const { return NeedMore{}; }

Answer Sse::published(const Publish&, const Result<Position>&,
                      std::string&) const {
  return {};
}

/// One without a place in the channel has no id: the last one stays.
Message Sse::publication(const Publication& publication,
                         std::string& scratch) const {
  const bool binary = publication.kind == Kind::binary;
  if (publication.event == Event::message) {
    append_line(scratch, kId, position_text(publication.position));
  }
  if (names_ == EventNames::channel) {
    scratch += "event: ";
    append_line(scratch, binary ? kBinaryPrefix : Bytes(), publication.channel);
  } else if (binary) {
    append_line(scratch, "event: ", kBinary);
  }
  if (binary) {
    scratch += "data: ";
    append_base64(scratch, publication.data);
    scratch += '\n';
  } else {
    append_data(scratch, publication.data);
  }
  scratch += '\n';
  return {Kind::text, scratch};
}

void append_gap(std::string& out, Bytes channel) {
  out += "event: gap\ndata: {\"channel\":";
  append_json_string(out, channel);
  out += "}\n\n";
}

void append_close(std::string& out, const Close& close,
                  std::uint64_t retry_ms) {
  out.append("retry: ").append(std::to_string(retry_ms));
  out.append("\nevent: close\ndata: {\"code\":");
  out.append(std::to_string(close.code)).append(",\"reason\":");
  append_json_string(out, close.reason);
  out += "}\n\n";
}

}  // namespace paperboy::dialect
