#include "native.hpp"

#include "wire.hpp"

namespace paperboy::fault {

namespace {

constexpr std::uint8_t kText = 1;
constexpr std::uint8_t kClose = 8;
constexpr std::size_t kFirstId = 2;  // that of connect is 1

/// Null where it is none of ours.
Witness* named(std::vector<Witness>& witnesses, Bytes name) {
  for (Witness& here : witnesses) {
    if (channel_name(here.channel()) == name) return &here;
  }
  return nullptr;
}

}  // namespace

// ---- what it says ----------------------------------------------------------

void NativeSubscriber::greet() {
  subscribed_ = 0;
  socket().write(upgrade_request("/native") + "\r\n");
}

void NativeSubscriber::welcome() {
  std::string commands = R"({"id":1,"connect":{}})";
  for (std::size_t i = 0; i < witnesses().size(); ++i) {
    commands += '\n' + subscribe(i);
  }
  say(commands);
}

std::string NativeSubscriber::subscribe(std::size_t index) {
  const Witness& here = witnesses()[index];
  std::string text = R"({"id":)" + std::to_string(kFirstId + index) +
                     R"(,"subscribe":{"channel":")" +
                     channel_name(here.channel()) + '"';
  if (here.place().epoch != 0) {
    text += R"(,"recover":true,"epoch":")" + epoch_text(here.place().epoch) +
            R"(","offset":)" + std::to_string(here.place().offset);
  }
  return text + "}}";
}

void NativeSubscriber::say(const std::string& text) {
  std::string frame;
  append_frame(frame, kText, text);
  socket().write(frame);
}

// ---- what it hears ---------------------------------------------------------

bool NativeSubscriber::take(Bytes& bytes) {
  bool more = false;
  if (!upgraded(bytes, more)) return more;
  Frame frame;
  Taken taken = Taken::whole;
  while ((taken = take_frame(bytes, frame)) == Taken::whole) {
    if (frame.opcode == kClose) {
      count_close(frame.payload);
      return false;
    }
    while (const auto text = take_line(frame.payload)) {
      if (!line(*text)) return false;
    }
  }
  if (taken == Taken::broken)
    stage().tally.contradiction(name() + ": no frame");
  return taken == Taken::more;
}

bool NativeSubscriber::line(Bytes text) {
  if (text == "{}") {
    say("{}");
    return true;
  }
  const Bytes pushed = json_member(text, "push");
  return pushed.empty() ? reply(text) : push(pushed);
}

bool NativeSubscriber::push(Bytes push) {
  Witness* const here =
      named(witnesses(), json_string(json_member(push, "channel")));
  if (here == nullptr) {
    stage().tally.contradiction(name() + ": a push of another channel");
    return false;
  }
  if (const Bytes pub = json_member(push, "pub"); !pub.empty()) {
    publication(pub, here->place().epoch);
  } else if (!json_member(push, "unsubscribe").empty()) {
    ++stage().tally.ends["unsubscribed"];
    note_gap();
    const auto index = static_cast<std::size_t>(here - witnesses().data());
    say(subscribe(index));
  }
  return true;
}

void NativeSubscriber::publication(Bytes pub, std::uint64_t epoch) {
  deliver(json_member(pub, "data"),
          {epoch, number_of(json_member(pub, "offset"))});
}

bool NativeSubscriber::reply(Bytes text) {
  if (!json_member(text, "connect").empty()) return true;
  const std::size_t index = number_of(json_member(text, "id")) - kFirstId;
  const Bytes answer = json_member(text, "subscribe");
  if (answer.empty() || index >= witnesses().size()) {
    ++stage().tally.ends["refused: " + std::string(text.substr(0, 100))];
    return false;
  }
  subscribed(witnesses()[index], answer);
  if (++subscribed_ == witnesses().size()) live();
  return true;
}

void NativeSubscriber::subscribed(Witness& here, Bytes answer) {
  const Place place{parse_epoch(json_string(json_member(answer, "epoch"))),
                    number_of(json_member(answer, "offset"))};
  if (here.place().epoch == 0) {
    here.begins(place);
  } else if (json_member(answer, "recovered") == "true") {
    publications(json_member(answer, "publications"), place.epoch);
    here.recovered(place);
  } else {
    ++stage().tally.counts.unrecovered;
    here.told(place);
  }
}

void NativeSubscriber::publications(Bytes array, std::uint64_t epoch) {
  if (array.empty()) return;
  array.remove_prefix(1);
  while (const auto pub = json_element(array)) publication(*pub, epoch);
}

}  // namespace paperboy::fault
