#include "session/codecs.hpp"

#include "session/frame_encoder.hpp"

namespace paperboy::session {

Encoder& Codecs::encoder(const Variant& variant) {
  for (const Entry& entry : encoders_) {
    if (entry.variant == variant) return *entry.encoder;
  }
  encoders_.push_back(
      {variant, std::make_unique<FrameEncoder>(*this, variant)});
  return *encoders_.back().encoder;
}

ws::Deflater& Codecs::deflater(int window_bits, int level) {
  for (const Compressor& c : deflaters_) {
    if (c.window_bits == window_bits && c.level == level) return *c.deflater;
  }
  deflaters_.push_back(
      {window_bits, level, std::make_unique<ws::Deflater>(window_bits, level)});
  return *deflaters_.back().deflater;
}

}  // namespace paperboy::session
