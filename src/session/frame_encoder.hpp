// Publications as WebSocket frames of one variant.
#pragma once

#include <string>

#include "base/encoder.hpp"
#include "session/codecs.hpp"

namespace paperboy::session {

/// Appends `message` as one frame; compressed by `deflater` where there is one
/// and the message has `threshold` bytes or more (RFC 7692 section 7.2.1).
void append_message(std::string& out, const dialect::Message& message,
                    ws::Deflater* deflater, std::size_t threshold);

class FrameEncoder final : public Encoder {
 public:
  /// `codecs` must outlive this.
  FrameEncoder(Codecs& codecs, const Variant& variant)
      : codecs_(codecs), variant_(variant) {}

  void encode(const Publication& publication, std::string& out) override;

 private:
  Codecs& codecs_;
  Variant variant_;
  std::string scratch_;
};

}  // namespace paperboy::session
