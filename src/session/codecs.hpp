// The worker's encoders and compressors: one encoder for each variant of bytes
// that its connections take, so that a publication is made into each only
// once; zlib's large state is shared by all connections that keep no window.
// One a worker; outlives its sessions.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

#include "base/encoder.hpp"
#include "dialect/dialect.hpp"
#include "ws/deflate.hpp"

namespace paperboy::session {

/// What makes the bytes of one client's frames or events differ from another's.
struct Variant {
  const dialect::Dialect* dialect = nullptr;
  int window_bits = 0;  // of the compressor; 0: not compressed
  int level = 0;        // of the compressor
  std::size_t threshold = 0;
  bool events = false;  // who comes and goes is told

  friend bool operator==(const Variant&, const Variant&) = default;
};

class Codecs {
 public:
  /// The encoder of a variant; lives as long as this.
  Encoder& encoder(const Variant& variant);

  /// A compressor that no connection owns: `reset` it before each message.
  ws::Deflater& deflater(int window_bits, int level);
  ws::Inflater& inflater() { return inflater_; }

 private:
  struct Entry {
    Variant variant;
    std::unique_ptr<Encoder> encoder;
  };
  struct Compressor {
    int window_bits;
    int level;
    std::unique_ptr<ws::Deflater> deflater;
  };

  std::unique_ptr<Encoder> make(const Variant& variant);

  std::vector<Entry> encoders_;  // a handful: as many as configured variants
  std::vector<Compressor> deflaters_;
  ws::Inflater inflater_;
};

}  // namespace paperboy::session
