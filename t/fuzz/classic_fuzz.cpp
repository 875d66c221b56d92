// The classic protocol's text from strangers. After the first byte, which
// chooses: a client's message, what back ends say by each of their topics, or
// what a broker has kept of it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>

#include "backend/topic.hpp"
#include "base/envelope.hpp"
#include "base/utf8.hpp"
#include "dialect/classic.hpp"
#include "hub/notice.hpp"

namespace {

using paperboy::Bytes;
using namespace paperboy::dialect;

const Classic classic;

void require(bool holds) {
  if (!holds) std::abort();
}

void take(Bytes message) {
  if (!paperboy::is_utf8(message)) return;
  std::optional<Message> rest = Message{paperboy::Kind::text, message};
  const auto command = classic.decode(rest);
  require(!rest);
  if (const auto* const subscribe = std::get_if<Subscribe>(&command)) {
    require(subscribe->channel.empty() && subscribe->token == message);
  } else if (const auto* const leave = std::get_if<Unsubscribe>(&command)) {
    require(!leave->channel.empty() && !leave->all);
    require(message == "unsubscribe:" + leave->channel);
  } else {
    require(std::holds_alternative<NeedMore>(command));
    require(message == "unsubscribe:");
  }
}

/// What is read of a message makes the message again.
void read(paperboy::backend::Topic topic, Bytes text) {
  const auto body = paperboy::backend::read_body(topic, text);
  if (!body) return;
  require(paperboy::is_utf8(body->user) && paperboy::is_utf8(body->channel));
  require(!body->user.empty() || !body->channel.empty());
  const std::string envelope = paperboy::make_envelope(text, body->payload);
  if (envelope.empty()) return;
  std::string again;
  paperboy::append_message(again, envelope, body->payload);
  require(again == text);
}

/// Whatever it is, no byte is invented but the payload's.
void unfold(Bytes envelope) {
  std::string text;
  const std::string marked = "\1" + std::string(envelope);
  paperboy::append_message(text, marked, "payload");
  require(text.size() <= marked.size() + 7);
}

void decode(Bytes text) {
  const auto notice = paperboy::hub::decode_notice(text);
  if (notice) require(encode(*notice) == text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  if (size == 0) return 0;
  const Bytes text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 6) {
    case 0:
      take(text);
      break;
    case 1:
      unfold(text);
      break;
    case 2:
      decode(text);
      break;
    default:
      read(static_cast<paperboy::backend::Topic>(data[0] % 6 - 3), text);
  }
  return 0;
}
