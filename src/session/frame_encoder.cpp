#include "session/frame_encoder.hpp"

#include "hub/key.hpp"
#include "ws/frame.hpp"

namespace paperboy::session {

namespace {

/// False where the message had better go as it is: zlib has no memory, or the
/// result is no shorter.
bool append_compressed(std::string& out, ws::Opcode opcode, Bytes data,
                       ws::Deflater& deflater) {
  static thread_local std::string compressed;
  compressed.clear();
  if (!deflater.compress(data, compressed)) return false;
  if (compressed.size() >= data.size()) {
    // What isn't sent must not be referred to.
    deflater.reset();
    return false;
  }
  ws::append_frame(out, opcode, compressed, /*rsv1=*/true);
  return true;
}

}  // namespace

void append_message(std::string& out, const dialect::Message& message,
                    ws::Deflater* deflater, std::size_t threshold) {
  const auto opcode =
      message.kind == Kind::text ? ws::Opcode::text : ws::Opcode::binary;
  if (deflater != nullptr && message.data.size() >= threshold &&
      append_compressed(out, opcode, message.data, *deflater)) {
    return;
  }
  ws::append_frame(out, opcode, message.data);
}

void FrameEncoder::encode(const Publication& publication, std::string& out) {
  const bool told = publication.event == Event::message ||
                    publication.event == Event::passing || variant_.events;
  if (!told) return;
  scratch_.clear();
  Publication named = publication;
  named.channel = hub::channel_name(publication.channel);
  const auto message = variant_.dialect->publication(named, scratch_);
  ws::Deflater* deflater = nullptr;
  if (variant_.window_bits != 0) {
    deflater = &codecs_.deflater(variant_.window_bits, variant_.level);
    deflater->reset();
  }
  append_message(out, message, deflater, variant_.threshold);
}

}  // namespace paperboy::session
