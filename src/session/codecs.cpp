#include "session/codecs.hpp"

#include "session/event_encoder.hpp"
#include "session/frame_encoder.hpp"

namespace paperboy::session {

Encoder& Codecs::encoder(const Variant& variant) {
  for (const Entry& entry : encoders_) {
    if (entry.variant == variant) return *entry.encoder;
  }
  encoders_.push_back({variant, make(variant)});
  return *encoders_.back().encoder;
}

std::unique_ptr<Encoder> Codecs::make(const Variant& variant) {
  using Carrier = dialect::Dialect::Carrier;
  if (variant.dialect->carrier() == Carrier::event_stream) {
    return std::make_unique<EventEncoder>(*variant.dialect);
  }
  return std::make_unique<FrameEncoder>(*this, variant);
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
