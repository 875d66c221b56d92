#include "dialect/notiflux.hpp"

#include <algorithm>

#include "base/centrifugal.hpp"

namespace paperboy::dialect {

namespace {

constexpr Bytes kUnknown = "Unknown command";
constexpr Bytes kInvalidSubscribe =
    "Invalid subscribe command, it should be: /subscribe <topic> <token>";

Bytes trim(Bytes text) {
  constexpr Bytes kSpace = " \t\n\v\f\r";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == Bytes::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

/// Takes the first word off `text`, and the spaces behind it.
Bytes take_word(Bytes& text) {
  const Bytes word = text.substr(0, text.find(' '));
  text.remove_prefix(word.size());
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return word;
}

Send say(Bytes text) { return {{Kind::text, text}}; }

Decoded read_subscribe(Bytes rest) {
  const Bytes topic = take_word(rest);
  const Bytes token = take_word(rest);
  if (token.empty() || !rest.empty()) return say(kInvalidSubscribe);
  return Subscribe{0, std::string(topic), std::string(token), {}};
}

Decoded read_command(Bytes text) {
  const Bytes word = take_word(text);
  if (word == "/subscribe" && !text.empty()) return read_subscribe(text);
  if (word == "/unsubscribe" && !text.empty()) {
    return Unsubscribe{0, std::string(text)};
  }
  if (word == "/unsubscribe-all" && text.empty()) {
    return Unsubscribe{0, {}, true};
  }
  return say(kUnknown);
}

}  // namespace

Decoded Notiflux::decode(std::optional<Message>& rest) const {
  if (!rest) return NeedMore{};
  const Message message = *rest;
  rest.reset();
  if (message.kind != Kind::text) return NeedMore{};
  const Bytes text = trim(message.data);
  return text.starts_with('/') ? read_command(text) : Decoded(NeedMore{});
}

Answer Notiflux::published(const Publish&, const Result<Position>&,
                           std::string&) const {
  return {};  // its clients don't publish
}

Message Notiflux::publication(const Publication& publication,
                              std::string&) const {
  return {publication.kind, publication.data};
}

const Dialect* Notiflux::agreed() const {
  static const ToldNotiflux told;
  return &told;
}

void ToldNotiflux::reply(const Outcome& outcome, std::string& replies) const {
  const auto* const failed = std::get_if<Failed>(&outcome);
  if (failed == nullptr) return;
  const ProtocolError error = protocol_error(failed->code);
  replies.append(R"({"error":{"code":)").append(std::to_string(error.code));
  replies.append(R"(,"message":")").append(error.message).append("\"}}");
}

}  // namespace paperboy::dialect
