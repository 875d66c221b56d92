// sse: events for EventSource and curl (the HTML standard, section
// "Server-sent events"). An event is a publication, its id the position;
// clients say nothing.
//
//   event = [ "id: " id LF ] [ "event: " name LF ] 1*( "data: " line LF ) LF
//
// The id comes first, and no line of an event is empty.
#pragma once

#include "dialect/dialect.hpp"

namespace paperboy::dialect {

/// Whether an event is named after its channel.
enum class EventNames : std::uint8_t { off, channel };

class Sse final : public Dialect {
 public:
  static constexpr Bytes kId = "id: ";

  explicit Sse(EventNames names) : names_(names) {}

  [[nodiscard]] Carrier carrier() const override {
    return Carrier::event_stream;
  }
  [[nodiscard]] Decoded decode(std::optional<Message>& rest) const override;
  [[nodiscard]] Answer published(const Publish& command,
                                 const Result<Position>& outcome,
                                 std::string& scratch) const override;
  [[nodiscard]] Message publication(const Publication& publication,
                                    std::string& scratch) const override;

 private:
  EventNames names_;
};

/// The dialect object; lives as long as the program.
[[nodiscard]] const Dialect& sse(EventNames names);

/// Whether events can be named after the channel: it stands on one line, and
/// no event of EventSource's or ours has that name.
[[nodiscard]] bool can_name_events(Bytes channel);

// What the stream itself says.

/// Publications of the channel were lost; `data: {"channel":"news"}`.
void append_gap(std::string& out, Bytes channel);

/// The stream ends, and the client is to come back in `retry_ms`.
void append_close(std::string& out, const Close& close, std::uint64_t retry_ms);

}  // namespace paperboy::dialect
