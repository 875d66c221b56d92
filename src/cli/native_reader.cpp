#include "cli/native_reader.hpp"

#include <algorithm>

#include "base/close.hpp"
#include "base/json_text.hpp"
#include "cli/output.hpp"
#include "cli/words.hpp"

namespace paperboy::cli {

namespace {

constexpr std::uint32_t kConnect = 1;  // the id of `connect`

// Unsubscribe codes: from here on a client subscribes again, after the latter
// with a new token.
constexpr std::uint64_t kSubscribeAgain = 2500;
constexpr std::uint64_t kExpired = 2501;

Failure broken(Bytes how) {
  return {Exit::stay_away,
          "the server broke the protocol: " + std::string(how)};
}

std::string code_text(std::uint64_t code, Bytes words) {
  std::string text = std::to_string(code);
  if (!words.empty()) text += " " + printable(words);
  return text;
}

}  // namespace

NativeReader::NativeReader(const Sub& sub, bool terminal)
    : sub_(sub),
      terminal_(terminal),
      left_(sub.count.value_or(-1)),
      patience_(sub.server.timeout) {}

void NativeReader::begin(Output& out) {
  last_id_ = kConnect;
  out.say.push_back(connect_command(kConnect, token()));
}

MessageReader::Verdict NativeReader::on_message(Kind kind, Bytes data,
                                                Output& out) {
  if (kind != Kind::text) return broken("a binary message");
  while (!data.empty()) {
    const std::size_t end = std::min(data.find('\n'), data.size());
    const auto event = read_native(data.substr(0, end));
    if (!event) return broken("a message that is not native");
    auto verdict =
        std::visit([&](const auto& one) { return obey(one, out); }, *event);
    if (verdict) return verdict;
    data.remove_prefix(std::min(end + 1, data.size()));
  }
  return std::nullopt;
}

std::optional<std::chrono::milliseconds> NativeReader::patience() const {
  return patience_;
}

Bytes NativeReader::explain(std::uint16_t code) const {
  switch (code) {
    case close::kInvalidToken:
      return "the token is not good, or the location has no key for it";
    case close::kPermissionDenied:
      return "the token is not for the channels of the location";
    case close::kChannelLimit:
      return "location and token have more channels than a connection may";
    default:
      return {};
  }
}

MessageReader::Verdict NativeReader::obey(const native::Ping&, Output& out) {
  out.say.emplace_back(native::kPong);
  return std::nullopt;
}

MessageReader::Verdict NativeReader::obey(const native::Connected& connected,
                                          Output& out) {
  patience_.reset();
  if (connected.ping_s != 0) {
    patience_ = std::chrono::seconds(connected.ping_s) + sub_.server.timeout;
  }
  for (const Heard& heard : connected.subscriptions) {
    channels_.push_back({heard});
  }
  for (const std::string& name : sub_.channels) {
    if (find(name) != nullptr) continue;
    channels_.push_back({{name, {}}});
    subscribe(channels_.back(), out);
  }
  if (channels_.empty()) {
    return Failure{Exit::refused,
                   "the server gives no channel; --channel names one"};
  }
  return std::nullopt;
}

// Where it was subscribed to before, something was lost between.
MessageReader::Verdict NativeReader::obey(const native::Subscribed& subscribed,
                                          Output&) {
  const auto at = std::ranges::find(channels_, subscribed.id, &Channel::asked);
  if (at == channels_.end()) return broken("a reply to nothing");
  Heard& heard = at->heard;
  if (!heard.epoch.empty()) {
    std::string text = printable(heard.channel) + ": ";
    if (heard.epoch == subscribed.epoch && subscribed.offset >= heard.offset) {
      text += std::to_string(subscribed.offset - heard.offset);
      text += " messages were lost";
    } else {
      text += "the channel has begun anew, and messages may be lost";
    }
    complain(text);
  }
  heard.epoch = subscribed.epoch;
  heard.offset = subscribed.offset;
  return std::nullopt;
}

MessageReader::Verdict NativeReader::obey(const native::Failed& failed,
                                          Output&) {
  std::string text;
  const auto at = std::ranges::find(channels_, failed.id, &Channel::asked);
  if (at != channels_.end()) text = printable(at->heard.channel) + ": ";
  text += "refused: " + code_text(failed.code, failed.message);
  if (failed.temporary) {
    return Failure{Exit::come_back,
                   text + "; coming back makes sense, a little later"};
  }
  const Bytes why = explain_error(failed.code, sub_.server.token.has_value());
  if (!why.empty()) text.append("; ").append(why);
  return Failure{Exit::refused, text};
}

MessageReader::Verdict NativeReader::obey(const native::Publication& one,
                                          Output& out) {
  Channel* const channel = find(one.channel);
  if (channel == nullptr) return std::nullopt;
  if (one.offset != 0) channel->heard.offset = one.offset;
  print(one, channel->heard.epoch, out);
  if (left_ > 0) --left_;
  if (left_ == 0) return Done{};
  return std::nullopt;
}

MessageReader::Verdict NativeReader::obey(const native::Dropped& dropped,
                                          Output& out) {
  Channel* const channel = find(dropped.channel);
  if (channel == nullptr) return std::nullopt;
  const std::string text = printable(dropped.channel) +
                           ": unsubscribed by the server: " +
                           code_text(dropped.code, dropped.reason);
  if (dropped.code == kExpired) {
    return Failure{Exit::come_back,
                   text + "; coming back makes sense, with a new token"};
  }
  if (dropped.code >= kSubscribeAgain) {
    complain(text + "; subscribing again");
    subscribe(*channel, out);
    return std::nullopt;
  }
  if (channels_.size() == 1) return Failure{Exit::stay_away, text};
  complain(text);
  channels_.erase(channels_.begin() + (channel - channels_.data()));
  return std::nullopt;
}

MessageReader::Verdict NativeReader::obey(const native::Other&, Output&) {
  return std::nullopt;
}

NativeReader::Channel* NativeReader::find(Bytes name) {
  const auto at = std::ranges::find_if(
      channels_,
      [name](const Channel& channel) { return channel.heard.channel == name; });
  return at == channels_.end() ? nullptr : &*at;
}

// A message each: a message may hold only so many commands.
void NativeReader::subscribe(Channel& channel, Output& out) {
  channel.asked = ++last_id_;
  out.say.push_back(subscribe_command(
      channel.asked, channel.heard,
      sub_.channel_token ? Bytes(*sub_.channel_token) : Bytes()));
}

void NativeReader::print(const native::Publication& one, Bytes epoch,
                         Output& out) const {
  std::string line;
  if (sub_.form == Form::json) {
    line += R"({"channel":)";
    append_json_string(line, one.channel);
    line += R"(,"epoch":)";
    append_json_string(line, epoch);
    line.append(R"(,"offset":)").append(std::to_string(one.offset));
    line.append(R"(,"data":)").append(one.data).append("}");
  } else {
    line = one.data;
  }
  out.print += terminal_ ? printable(line) : one_line(line);
  out.print += '\n';
}

Bytes NativeReader::token() const {
  return sub_.server.token ? Bytes(*sub_.server.token) : Bytes();
}

}  // namespace paperboy::cli
