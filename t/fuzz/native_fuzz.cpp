// The native dialect's text from strangers. After the first byte, which
// chooses: a client's message, or a publication that is made into a push.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>

#include "base/json.hpp"
#include "base/json_text.hpp"
#include "base/utf8.hpp"
#include "dialect/native.hpp"

namespace {

using paperboy::Bytes;
using namespace paperboy::dialect;

const Native native;

void require(bool holds) {
  if (!holds) std::abort();
}

/// What another reader takes for JSON is JSON.
void compare(Bytes text) {
  const bool read = paperboy::Json::parse(text).ok();
  require(!read || paperboy::is_json(text));
}

/// Each command takes something off the message, and its data is JSON from
/// the midst of it.
void take(Bytes message) {
  std::optional<Message> rest = Message{paperboy::Kind::text, message};
  for (;;) {
    const std::size_t before = rest ? rest->data.size() + 1 : 0;
    const auto command = native.decode(rest);
    require(!rest || rest->data.size() + 1 < before);
    if (const auto* const publish = std::get_if<Publish>(&command)) {
      const Bytes data = publish->message.data;
      require(data.data() > message.data());
      require(data.data() + data.size() <= message.data() + message.size());
      require(paperboy::is_json(data));
      require(data.find('\n') == Bytes::npos);
      require(publish->id != 0);
    }
    if (const auto* const subscribe = std::get_if<Subscribe>(&command)) {
      require(paperboy::is_utf8(subscribe->channel));
    }
    if (std::holds_alternative<NeedMore>(command) ||
        std::holds_alternative<paperboy::Close>(command)) {
      return;
    }
  }
}

/// A push is one line of JSON, and its data what was published.
void push(paperboy::Kind kind, Bytes data) {
  std::string scratch;
  const auto message = native.publication({"c", {1, 2}, kind, data}, scratch);
  require(message.data.find('\n') == Bytes::npos);
  require(paperboy::is_json(message.data) || paperboy::is_json(data));
  paperboy::JsonMembers outer(message.data);
  require(outer.next());
  paperboy::JsonMembers inner(outer.value());
  require(inner.next() && inner.next());
  paperboy::JsonMembers publication(inner.value());
  require(publication.next());
  if (kind == paperboy::Kind::text && !paperboy::is_json(data) &&
      data.find('\0') == Bytes::npos) {
    const auto text = paperboy::Json::parse(publication.value());
    require(text.ok() && text->as_string() == data);
  }
  require(publication.next() && publication.value() == "2");
  require(!publication.next() && !inner.next() && !outer.next());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  if (size == 0) return 0;
  const Bytes input(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 3 == 2) push(paperboy::Kind::binary, input);
  if (!paperboy::is_utf8(input)) return 0;
  compare(input);
  if (data[0] % 3 == 0) take(input);
  if (data[0] % 3 == 1) push(paperboy::Kind::text, input);
  return 0;
}
