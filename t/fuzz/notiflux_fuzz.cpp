// notiflux's text from strangers. After the first byte, which chooses: a
// client's message, or the body of a broadcast.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>

#include "api/broadcast.hpp"
#include "base/utf8.hpp"
#include "dialect/notiflux.hpp"

namespace {

using paperboy::Bytes;
using namespace paperboy::dialect;

const Notiflux notiflux;

void require(bool holds) {
  if (!holds) std::abort();
}

/// One command at most, whose words have no space in them.
void take(Bytes message) {
  std::optional<Message> rest = Message{paperboy::Kind::text, message};
  const auto command = notiflux.decode(rest);
  require(!rest);
  if (const auto* const subscribe = std::get_if<Subscribe>(&command)) {
    require(!subscribe->channel.empty() && !subscribe->token.empty());
    require(subscribe->channel.find(' ') == std::string::npos);
    require(subscribe->token.find(' ') == std::string::npos);
    require(message.find(subscribe->channel) != Bytes::npos);
  } else if (const auto* const leave = std::get_if<Unsubscribe>(&command)) {
    require(leave->all == leave->channel.empty());
  } else if (const auto* const send = std::get_if<Send>(&command)) {
    require(!send->message.data.empty());
  } else {
    require(std::holds_alternative<NeedMore>(command));
  }
}

void read(Bytes body) {
  const auto broadcast = paperboy::api::read_broadcast(body);
  if (!broadcast) return;
  require(paperboy::is_utf8(broadcast->topic));
  require(paperboy::is_utf8(broadcast->message));
  require(paperboy::is_utf8(broadcast->token));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  if (size == 0) return 0;
  const Bytes text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 2 == 0) {
    take(text);
  } else {
    read(text);
  }
  return 0;
}
