#include "raw.hpp"

#include "wire.hpp"

namespace paperboy::fault {

namespace {

constexpr std::uint8_t kText = 1;
constexpr std::uint8_t kClose = 8;
constexpr std::uint8_t kPing = 9;
constexpr std::uint8_t kPong = 10;

}  // namespace

void RawSubscriber::greet() {
  began_ = false;
  const Witness& here = witnesses().front();
  std::string path = "/raw?c=" + channel_name(here.channel());
  if (here.place().epoch != 0 && !gap_) {
    path += "&since=" + place_text(here.place());
  }
  socket().write(upgrade_request(path) +
                 "Sec-WebSocket-Protocol: paperboy.position\r\n\r\n");
}

bool RawSubscriber::take(Bytes& bytes) {
  bool more = false;
  if (!upgraded(bytes, more)) return more;
  Frame frame;
  Taken taken = Taken::whole;
  while ((taken = take_frame(bytes, frame)) == Taken::whole) {
    if (frame.opcode == kClose) return closed(frame.payload);
    if (frame.opcode == kText) message(frame.payload);
    if (frame.opcode == kPing) {
      std::string pong;
      append_frame(pong, kPong, frame.payload);
      socket().write(pong);
    }
  }
  if (taken == Taken::broken)
    stage().tally.contradiction(name() + ": no frame");
  return taken == Taken::more;
}

/// "<epoch>:<offset> <channel>", and a publication in the lines after it.
void RawSubscriber::message(Bytes text) {
  const Bytes head = *take_line(text);
  const Place place = parse_place(head.substr(0, head.find(' ')));
  if (text.empty()) {
    begins(place);
    witnesses().front().stands(place);
  } else {
    begins({place.epoch, place.offset - 1});
    deliver(text, place);
  }
}

/// The first message of a connection.
void RawSubscriber::begins(const Place& place) {
  if (began_) return;
  began_ = true;
  Witness& here = witnesses().front();
  if (here.place().epoch == 0) {
    here.begins(place);
  } else if (gap_) {
    ++stage().tally.counts.unrecovered;
    here.told(place);
  } else {
    ++stage().tally.counts.recovered;
  }
  gap_ = false;
  live();
}

/// 3010 tells of a hole: it comes back without its position.
bool RawSubscriber::closed(Bytes payload) {
  gap_ = gap_ || count_close(payload) == 3010;
  if (gap_) note_gap();
  return false;
}

}  // namespace paperboy::fault
