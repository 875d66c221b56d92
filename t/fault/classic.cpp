#include "classic.hpp"

#include <algorithm>

#include "token.hpp"
#include "wire.hpp"

namespace paperboy::fault {

namespace {

constexpr Bytes kSubscribed = "subscribed:";
constexpr std::uint64_t kBegin = 1'700'000'000'000;  // ms since the epoch

/// Who is back before it is noted that it was gone isn't promised anything, s.
constexpr double kNoted = 0.3;

std::string quoted(Bytes text) {
  return text.empty() ? "null" : '"' + std::string(text) + '"';
}

/// "f7" is 7; 0xFFFFFFFF where it is no such name.
std::uint32_t number_in(Bytes name, char letter) {
  const auto number = name.empty() ? 0 : number_of(name.substr(1));
  const bool right = letter + std::to_string(number) == name;
  return right ? static_cast<std::uint32_t>(number) : 0xFFFFFFFF;
}

}  // namespace

std::string user_name(std::uint32_t user) { return "u" + std::to_string(user); }

std::string classic_text(Bytes user, Bytes channel, Bytes payload,
                         std::uint32_t number) {
  return R"({"userId":)" + quoted(user) + R"(,"channel":)" + quoted(channel) +
         R"(,"payload":)" + std::string(payload) + R"(,"timestamp":)" +
         std::to_string(kBegin + number) + "}";
}

ClassicSubscriber::ClassicSubscriber(Stage& stage, const std::string& name,
                                     const std::vector<std::uint32_t>& channels,
                                     std::uint32_t user, bool edge)
    : Listener(stage, "classic", name, channels), user_(user), edge_(edge) {
  if (stage.doors.redis != 0) {
    listen(stage.ledger.user_channel(user), false);
  }
}

// ---- its way in ------------------------------------------------------------

void ClassicSubscriber::greet() {
  subscribed_ = 0;
  socket().write(upgrade_request(edge_ ? "/edge" : "/classic") + "\r\n");
}

void ClassicSubscriber::welcome() {
  for (const Hearing& here : hearings()) {
    if (here.is_of_user()) continue;
    say(stage().doors.signer->hs256(R"({"iss":"paperboy","userId":")" +
                                    user_name(user_) + R"(","channel":")" +
                                    channel_name(here.channel()) +
                                    R"(","exp":4102444800})"));
  }
}

double ClassicSubscriber::pause() {
  const double look = stage().doors.look;
  return between(std::min(kNoted, look), look);
}

double ClassicSubscriber::patience() { return stage().doors.patience; }

// ---- what it hears ---------------------------------------------------------

void ClassicSubscriber::text(Bytes text) {
  if (text.starts_with(kSubscribed) && text.size() < 100) {
    subscribed(text.substr(kSubscribed.size()));
  } else {
    message(text);
  }
}

void ClassicSubscriber::subscribed(Bytes channel) {
  Hearing* const here = hearing(number_in(channel, 'f'));
  if (here == nullptr || here->is_of_user()) {
    stage().tally.contradiction(name() + ": subscribed to " +
                                std::string(channel));
    return;
  }
  if (here->has_begun()) return;
  here->begins(true);
  if (subscribed_ == 0) {
    for (Hearing& own : hearings()) {
      if (own.is_of_user()) own.begins(true);
    }
  }
  const std::size_t users = stage().doors.redis != 0 ? 1 : 0;
  if (++subscribed_ == hearings().size() - users) live();
}

/// Of the channel that it names, or of the user; as a back end wrote it, or
/// made of what somebody else published.
void ClassicSubscriber::message(Bytes text) {
  const Bytes user = json_string(json_member(text, "userId"));
  const Bytes channel = json_string(json_member(text, "channel"));
  const Bytes payload = json_member(text, "payload");
  const bool of_user = json_member(text, "channel") == "null";
  const Stamp stamp = read_stamp(payload);
  const Ledger& ledger = stage().ledger;
  const auto* const entry =
      ledger.find(stamp.publisher, stamp.channel, stamp.number);
  if (entry != nullptr && entry->way == Way::topic &&
      text != classic_text(of_user ? user : "", of_user ? "" : channel, payload,
                           stamp.number)) {
    stage().tally.contradiction(name() + ": not what a back end wrote: " +
                                std::string(text.substr(0, 100)));
  }
  const std::uint32_t number =
      number_in(of_user ? user : channel, of_user ? 'u' : 'f');
  if (of_user && number != user_) {
    stage().tally.contradiction(name() + ": what is said to user " +
                                std::string(user));
    return;
  }
  // Its user is known before its channel is joined.
  Hearing* const own = of_user ? hearing(ledger.user_channel(number)) : nullptr;
  if (own != nullptr) own->begins(false);
  heard(payload, of_user ? ledger.user_channel(number) : number);
}

}  // namespace paperboy::fault
