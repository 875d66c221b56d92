#include "notiflux.hpp"

#include "token.hpp"

namespace paperboy::fault {

namespace {

std::vector<std::uint32_t> channels_of(const std::vector<Hearing>& hearings) {
  std::vector<std::uint32_t> channels;
  for (const Hearing& here : hearings) channels.push_back(here.channel());
  return channels;
}

}  // namespace

std::string notiflux_token(const Signer& signer, Bytes scope,
                           const std::vector<std::uint32_t>& channels) {
  std::string topics;
  for (const std::uint32_t channel : channels) {
    topics += (topics.empty() ? "\"" : ",\"") + channel_name(channel) + '"';
  }
  return signer.es256(R"({"sub":"fault","exp":4102444800,"scope":")" +
                      std::string(scope) + R"(","topics":[)" + topics + "]}");
}

NotifluxSubscriber::NotifluxSubscriber(
    Stage& stage, const std::string& name,
    const std::vector<std::uint32_t>& channels)
    : Listener(stage, "notiflux", name, channels) {}

void NotifluxSubscriber::greet() {
  socket().write(upgrade_request("/notiflux") + "\r\n");
}

void NotifluxSubscriber::welcome() {
  const std::string token = notiflux_token(*stage().doors.signer, "subscribe",
                                           channels_of(hearings()));
  for (Hearing& here : hearings()) {
    say("/subscribe " + channel_name(here.channel()) + " " + token);
    // It may begin at once, or, on a node that has to ask, later.
    here.begins(false);
  }
  say("/are you there?");
}

void NotifluxSubscriber::text(Bytes text) {
  if (text == "Unknown command") return live();
  const std::uint32_t channel = read_stamp(text).channel;
  if (hearing(channel) != nullptr) return heard(text, channel);
  stage().tally.contradiction(name() + ": it subscribed to no such topic: " +
                              std::string(text.substr(0, 100)));
}

}  // namespace paperboy::fault
