#include "listener.hpp"

#include <algorithm>

#include "wire.hpp"

namespace paperboy::fault {

namespace {

constexpr std::uint8_t kText = 1;
constexpr std::uint8_t kClose = 8;
constexpr std::uint8_t kPing = 9;
constexpr std::uint8_t kPong = 10;
/// Of those that leave: the share that does so whatever is under way.
constexpr double kAtOnce = 0.5;

}  // namespace

Listener::Listener(Stage& stage, const std::string& kind,
                   const std::string& name,
                   const std::vector<std::uint32_t>& channels)
    : Subscriber(stage, kind, name, {}), kind_(kind) {
  for (const std::uint32_t channel : channels) {
    listen(channel, stage.doors.returns && kind == "classic");
  }
}

Hearing& Listener::listen(std::uint32_t channel, bool returns) {
  return hearings_.emplace_back(name() + "/" + channel_name(channel), channel,
                                stage().ledger, stage().tally, returns);
}

Hearing* Listener::hearing(std::uint32_t channel) {
  const auto found = std::ranges::find(hearings_, channel, &Hearing::channel);
  return found == hearings_.end() ? nullptr : &*found;
}

void Listener::say(Bytes text) {
  std::string frame;
  append_frame(frame, kText, text);
  socket().write(frame);
}

// ---- what it hears ---------------------------------------------------------

bool Listener::take(Bytes& bytes) {
  bool more = false;
  if (!upgraded(bytes, more)) return more;
  Frame frame;
  Taken taken = Taken::whole;
  while ((taken = take_frame(bytes, frame)) == Taken::whole) {
    if (!obey(frame.opcode, frame.payload)) return false;
  }
  if (taken == Taken::broken)
    stage().tally.contradiction(name() + ": no frame");
  return taken == Taken::more;
}

bool Listener::obey(std::uint8_t opcode, Bytes payload) {
  if (opcode == kClose) {
    const unsigned code = count_close(payload);
    ++stage().tally.ends[kind_ + ": close " + std::to_string(code)];
    ended_well_ = true;
    return false;
  }
  if (opcode == kText) text(payload);
  if (opcode == kPing && !leaving_) {
    std::string pong;
    append_frame(pong, kPong, payload);
    socket().write(pong);
  }
  return true;
}

void Listener::heard(Bytes message, std::uint32_t channel) {
  const Stamp stamp = read_stamp(message);
  if (stamp.number == 0 || stamp.channel != channel) {
    stage().tally.contradiction(name() + ": " + channel_name(channel) +
                                " brings what nobody published there");
    return;
  }
  deliver(message, {});
}

void Listener::receive(const Stamp& stamp, const Place&) {
  if (Hearing* const here = hearing(stamp.channel)) {
    here->receives(stamp);
  } else {
    stage().tally.contradiction(
        name() + ": number " + std::to_string(stamp.number) +
        " of channel or user " + std::to_string(stamp.channel) +
        ", which isn't its own");
  }
}

// ---- its end ---------------------------------------------------------------

void Listener::over() {
  for (Hearing& here : hearings_) here.ends(ended_well_);
  if (!ended_well_) ++stage().tally.ends[kind_ + ": lost"];
  ended_well_ = leaving_ = false;
  leaves_at_.clear();
}

/// As a network that goes away, but that all that was sent is read.
void Listener::leave(double) {
  leaving_ = ended_well_ = true;
  socket().end();
}

/// Half of them go only once they have what had been published when they
/// wanted to: who never gets it is seen in the end.
bool Listener::may_leave() {
  if (leaves_at_.empty()) {
    if (happens(kAtOnce)) return true;
    for (const Hearing& here : hearings_) {
      const bool of_user = stage().ledger.is_of_user(here.channel());
      leaves_at_.push_back(of_user ? Place{}
                                   : stage().ledger.newest(here.channel()));
    }
  }
  for (std::size_t i = 0; i < hearings_.size(); ++i) {
    const Place& at = leaves_at_[i];
    const Place& place = hearings_[i].place();
    const bool same = place.epoch == at.epoch;
    if (same && place.offset < at.offset) return false;
  }
  return true;
}

// ---- the end of the run ----------------------------------------------------

bool Listener::is_at(const std::vector<Place>& ends) {
  for (Hearing& here : hearings_) here.settle();
  return is_live() &&
         std::ranges::all_of(hearings_, [&ends](const Hearing& here) {
           return here.place() == ends[here.channel()];
         });
}

void Listener::ends(const std::vector<Place>& ends) {
  for (Hearing& here : hearings_) here.finish(ends[here.channel()]);
}

bool Listener::has_heard() const {
  return std::ranges::all_of(hearings_, [](const Hearing& here) {
    return here.has_heard() || here.is_of_user();
  });
}

}  // namespace paperboy::fault
