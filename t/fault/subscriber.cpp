#include "subscriber.hpp"

#include <algorithm>
#include <utility>

#include "wire.hpp"

namespace paperboy::fault {

namespace {

constexpr double kPatience = 3;  // of who connects, seconds
/// After its acknowledgement a delivery is late: it fills a hole.
constexpr double kLate = 0.3;

}  // namespace

std::string channel_name(std::uint32_t channel) {
  return "f" + std::to_string(channel);
}

Subscriber::Subscriber(Stage& stage, const std::string& kind, std::string name,
                       const std::vector<std::uint32_t>& channels)
    : stage_(stage),
      deliveries_(stage.tally.kinds[kind]),
      name_(std::move(name)),
      socket_(stage.loop, *this) {
  for (const std::uint32_t channel : channels) {
    witnesses_.emplace_back(name_ + "/" + channel_name(channel), channel,
                            stage.ledger, stage.tally);
  }
}

Witness* Subscriber::witness(std::uint32_t channel) {
  const auto found = std::ranges::find(witnesses_, channel, &Witness::channel);
  return found == witnesses_.end() ? nullptr : &*found;
}

// ---- its connections -------------------------------------------------------

void Subscriber::tick(double now) {
  if (stalled_until_ != 0 && now >= stalled_until_) {
    stalled_until_ = 0;
    socket_.pause(false);
  }
  switch (state_) {
    case State::away:
      if (now >= until_) connect(now);
      return;
    case State::coming:
      if (now >= until_ && stalled_until_ == 0) ended("no answer");
      return;
    case State::live:
      if (cut_at_ != 0 && now >= cut_at_ && may_leave()) {
        cut_at_ = 0;
        ++stage_.tally.ends["cut by the client"];
        leave(between(0, (cut_most_ - cut_least_) / 2));
      }
  }
}

void Subscriber::connect(double now) {
  upgraded_ = false;
  connected_ = now;
  if (!socket_.connect(stage_.port(), receive_buffer_)) {
    until_ = now + between(0.02, 0.1);
    return;
  }
  state_ = State::coming;
  until_ = now + patience();
  greet();
}

double Subscriber::pause() { return between(0.005, 0.1); }

double Subscriber::patience() { return kPatience; }

void Subscriber::live() {
  if (state_ == State::live) return;
  state_ = State::live;
  if (was_live_) ++stage_.tally.counts.reconnects;
  was_live_ = true;
  if (cut_most_ > 0) cut_at_ = now_s() + between(cut_least_, cut_most_);
}

void Subscriber::ended(const std::string& cause) {
  ++stage_.tally.ends[cause];
  stage_.tally.note(name_ + ": ended: " + cause);
  cut(pause());
}

void Subscriber::cut(double seconds) {
  socket_.close();
  if (state_ != State::away) over();
  state_ = State::away;
  until_ = now_s() + seconds;
  cut_at_ = stalled_until_ = 0;
  held_.clear();
}

void Subscriber::cut_every(double least, double most) {
  cut_least_ = least;
  cut_most_ = most;
  cut_at_ = most > 0 ? now_s() + between(least, most) : 0;
}

void Subscriber::stall(double seconds) {
  stalled_until_ = now_s() + seconds;
  socket_.pause(true);
}

void Subscriber::on_ready() {
  if (!socket_.is_open()) return;
  if (!socket_.flush()) return ended("lost");
  Bytes bytes = socket_.read();
  if (socket_.has_ended()) return ended("lost");
  if (bytes.empty()) return;
  const bool goes_on = take(bytes);
  if (!socket_.is_open()) return;
  if (goes_on) {
    socket_.keep(bytes);
  } else {
    cut(pause());
  }
}

std::string Subscriber::upgrade_request(const std::string& path) const {
  return "GET " + path +
         " HTTP/1.1\r\nHost: fault\r\nUpgrade: websocket\r\n"
         "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
}

bool Subscriber::upgraded(Bytes& bytes, bool& more) {
  if (upgraded_) return true;
  Bytes head;
  more = !take_head(bytes, head);
  if (more) return false;
  upgraded_ = status_of(head) == 101;
  if (upgraded_) {
    welcome();
  } else {
    ++stage_.tally.ends["status " + std::to_string(status_of(head))];
  }
  return upgraded_;
}

unsigned Subscriber::count_close(Bytes payload) {
  const unsigned code = payload.size() < 2
                            ? 1005
                            : static_cast<unsigned char>(payload[0]) * 256U +
                                  static_cast<unsigned char>(payload[1]);
  ++stage_.tally.ends["close " + std::to_string(code)];
  stage_.tally.note(name_ + ": closed with " + std::to_string(code));
  return code;
}

// ---- what it gets ----------------------------------------------------------

void Subscriber::deliver(Bytes message, const Place& place) {
  const Stamp stamp = read_stamp(message);
  if (happens(stage_.garble.drop)) return;
  if (held_.empty() && happens(stage_.garble.swap)) {
    held_.emplace_back(stamp, place);
    return;
  }
  hand_over(stamp, place);
  if (happens(stage_.garble.repeat)) hand_over(stamp, place);
  const auto held = std::exchange(held_, {});
  for (const auto& [earlier, its_place] : held) hand_over(earlier, its_place);
}

void Subscriber::hand_over(const Stamp& stamp, const Place& place) {
  ++deliveries_;
  note_late(stamp);
  receive(stamp, place);
}

void Subscriber::receive(const Stamp& stamp, const Place& place) {
  Witness* const here = witness(stamp.channel);
  if (stamp.number == 0 || here == nullptr) {
    stage_.tally.contradiction(name_ + ": at " + place_text(place) +
                               " stands what nobody published there");
    return;
  }
  here->receives(stamp, place);
}

/// Not of what it missed while it was away.
void Subscriber::note_late(const Stamp& stamp) {
  const auto* const entry =
      stage_.ledger.find(stamp.publisher, stamp.channel, stamp.number);
  if (entry == nullptr || entry->answered < connected_) return;
  const double now = now_s();
  const double late = now - entry->answered;
  if (late <= kLate) return;
  Repair& repair = stage_.tally.repair;
  if (entry->answered > repair.since + Repair::kSettled) {
    repair.most_late = std::max(repair.most_late, late);
    return;
  }
  repair.touch(now, name_ + ": number " + std::to_string(stamp.number) +
                        " of publisher " + std::to_string(stamp.publisher) +
                        " in " + channel_name(stamp.channel) + " came " +
                        std::to_string(late) + " s late");
}

/// One that has come since then is told of what it missed when it comes.
void Subscriber::note_gap() {
  Repair& repair = stage_.tally.repair;
  if (connected_ < repair.since)
    repair.touch(now_s(), name_ + ": told of a gap");
}

bool Subscriber::happens(double share) {
  return share > 0 && between(0, 1) < share;
}

double Subscriber::between(double least, double most) {
  return std::uniform_real_distribution<>(least, most)(stage_.random);
}

// ---- the end of the run ----------------------------------------------------

bool Subscriber::is_at(const std::vector<Place>& ends) {
  return is_live() &&
         std::ranges::all_of(witnesses_, [&ends](const Witness& here) {
           return here.place() == ends[here.channel()];
         });
}

void Subscriber::ends(const std::vector<Place>& ends) {
  for (Witness& here : witnesses_) here.ends(ends[here.channel()]);
}

}  // namespace paperboy::fault
