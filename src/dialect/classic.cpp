#include "dialect/classic.hpp"

#include <algorithm>
#include <chrono>

#include "base/centrifugal.hpp"
#include "base/envelope.hpp"
#include "base/json_text.hpp"

namespace paperboy::dialect {

namespace {

constexpr Bytes kUnsubscribe = "unsubscribe:";
constexpr Bytes kSubscribed = "subscribed:";

// What is shorter may be one of these words.
constexpr std::size_t kWord = 100;  // units of UTF-16

/// Of text that is UTF-8.
std::size_t utf16_units(Bytes text) {
  std::size_t units = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0U) == 0x80U) continue;
    units += byte >= 0xF0U ? 2 : 1;
  }
  return units;
}

/// Whoever published it otherwise than by this protocol said no time.
std::int64_t now_ms() {
  using std::chrono::milliseconds;
  using std::chrono::system_clock;
  return std::chrono::duration_cast<milliseconds>(
             system_clock::now().time_since_epoch())
      .count();
}

void append_own_form(std::string& out, const Publication& publication) {
  out += R"({"userId":null,"channel":)";
  append_json_string(out, publication.channel);
  out += R"(,"payload":)";
  append_data(out, publication.kind, publication.data);
  out.append(R"(,"timestamp":)").append(std::to_string(now_ms())).append("}");
}

}  // namespace

Defaults Classic::defaults() const {
  return {.ping_interval_ms = 10'000,
          .ping_timeout_ms = 10'000,
          .tokens_only_admit = true,
          .token_issuer = "paperboy"};
}

const Dialect* Classic::agreed() const {
  static const AnsweringClassic answering;
  return &answering;
}

Decoded Classic::decode(std::optional<Message>& rest) const {
  if (!rest) return NeedMore{};
  const Message message = *rest;
  rest.reset();
  if (message.kind != Kind::text) return NeedMore{};
  const bool ends = message.data.starts_with(kUnsubscribe) &&
                    utf16_units(message.data) < kWord;
  if (!ends) {
    return Subscribe{
        .channel = {}, .token = std::string(message.data), .since = {}};
  }
  const Bytes channel = message.data.substr(kUnsubscribe.size());
  if (channel.empty()) return NeedMore{};
  return Unsubscribe{.channel = std::string(channel)};
}

Answer Classic::published(const Publish&, const Result<Position>&,
                          std::string&) const {
  return {};
}

/// A longer name would be taken for a message that is no JSON.
void Classic::reply(const Outcome& outcome, std::string& replies) const {
  const auto* const done = std::get_if<Subscribed>(&outcome);
  if (done == nullptr) return;
  if (kSubscribed.size() + utf16_units(done->channel) >= kWord) return;
  replies.append(kSubscribed).append(done->channel);
}

/// Who comes and goes is nothing that the protocol has a word for.
Message Classic::publication(const Publication& publication,
                             std::string& scratch) const {
  if (is_envelope(publication.extra)) {
    append_message(scratch, publication.extra, publication.data);
  } else {
    append_own_form(scratch, publication);
  }
  return {Kind::text, scratch};
}

void AnsweringClassic::reply(const Outcome& outcome,
                             std::string& replies) const {
  const auto* const failed = std::get_if<Failed>(&outcome);
  if (failed == nullptr) return Classic::reply(outcome, replies);
  const ProtocolError row = protocol_error(failed->code);
  replies.append(R"({"error":{"code":)").append(std::to_string(row.code));
  replies.append(R"(,"message":")").append(row.message).append("\"}}");
}

}  // namespace paperboy::dialect
