// A message's payload is raw deflate that ends with an empty stored block,
// 00 00 ff ff, which stays off the wire (RFC 7692 section 7.2.1).
#include "ws/deflate.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace paperboy::ws {

namespace {

constexpr char kTail[] = {'\x00', '\x00', '\xff', '\xff'};
constexpr Bytes kTailBytes{kTail, sizeof kTail};

constexpr int kMemLevel = 8;  // zlib's default
constexpr std::size_t kChunk = 16384;
constexpr std::size_t kMaxInput = std::numeric_limits<uInt>::max();

// What inflate() leaves in data_type: how many bits it holds back in the low
// six bits, and whether it stands between two blocks.
constexpr int kBitsLeft = 63;
constexpr int kBetweenBlocks = 128;

void set_input(z_stream& stream, Bytes in) {
  // zlib doesn't write through next_in, but lacks the const without ZLIB_CONST.
  stream.next_in =
      const_cast<Bytef*>(reinterpret_cast<const Bytef*>(in.data()));
  stream.avail_in = static_cast<uInt>(in.size());
}

template <std::size_t size>
void set_output(z_stream& stream, std::array<char, size>& chunk,
                std::size_t room) {
  stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
  stream.avail_out = static_cast<uInt>(room);
}

// Sync-flushes everything that was set as input into `out`.
bool flush(z_stream& stream, std::string& out) {
  std::array<char, kChunk> chunk;
  do {
    set_output(stream, chunk, chunk.size());
    const int status = deflate(&stream, Z_SYNC_FLUSH);
    if (status != Z_OK && status != Z_BUF_ERROR) return false;
    out.append(chunk.data(), chunk.size() - stream.avail_out);
  } while (stream.avail_out == 0);
  return stream.avail_in == 0;
}

}  // namespace

Deflater::~Deflater() {
  if (open_) deflateEnd(&stream_);
}

bool Deflater::open() {
  if (!open_) {
    open_ = deflateInit2(&stream_, level_, Z_DEFLATED, -window_bits_, kMemLevel,
                         Z_DEFAULT_STRATEGY) == Z_OK;
  }
  return open_;
}

bool Deflater::compress(Bytes message, std::string& out) {
  // Section 7.2.3.6; a second flush in a row gives nothing at all.
  if (message.empty()) {
    out.push_back('\0');
    return true;
  }
  if (message.size() > kMaxInput || !open()) return false;
  const std::size_t start = out.size();
  set_input(stream_, message);
  if (!flush(stream_, out) || !Bytes(out).substr(start).ends_with(kTailBytes)) {
    out.resize(start);
    reset();
    return false;
  }
  out.resize(out.size() - kTailBytes.size());
  return true;
}

void Deflater::reset() {
  if (open_) deflateReset(&stream_);
}

Inflater::~Inflater() {
  if (open_) inflateEnd(&stream_);
}

bool Inflater::open() {
  if (!open_) open_ = inflateInit2(&stream_, -window_bits_) == Z_OK;
  return open_;
}

InflateResult Inflater::inflate(Bytes payload, std::size_t limit,
                                std::string& out) {
  // Section 7.2.3.6 sends 00 for an empty message, but compressors that flush
  // twice send nothing, and mean the same.
  if (payload.empty()) return InflateResult::ok;
  if (payload.size() > kMaxInput) return InflateResult::too_big;
  if (!open()) return InflateResult::no_memory;
  limit = std::min(limit, out.max_size() - out.size()) + out.size();
  bool ended = false;
  for (const Bytes in : {payload, kTailBytes}) {
    // After a final block (section 7.2.3.4) some leave the padding byte out
    // that would take the tail.
    if (ended) break;
    const InflateResult result = run(in, limit, out, ended);
    if (result != InflateResult::ok) return result;
  }
  const bool between =
      (stream_.data_type & (kBetweenBlocks | kBitsLeft)) == kBetweenBlocks;
  return ended || between ? InflateResult::ok : InflateResult::invalid;
}

// Takes all of `in`. `ended`: it stopped right after a final block.
InflateResult Inflater::run(Bytes in, std::size_t limit, std::string& out,
                            bool& ended) {
  set_input(stream_, in);
  for (;;) {
    const int status = step(out, limit);
    if (out.size() > limit) return InflateResult::too_big;
    switch (status) {
      case Z_STREAM_END:
        // The window stays: the next block may refer to it.
        inflateResetKeep(&stream_);
        ended = stream_.avail_in == 0;
        if (ended) return InflateResult::ok;
        break;
      case Z_OK:
      case Z_BUF_ERROR:
        if (stream_.avail_out != 0) return InflateResult::ok;
        break;
      case Z_MEM_ERROR:
        return InflateResult::no_memory;
      default:
        return InflateResult::invalid;
    }
  }
}

// One chunk; at most one byte more than the limit, which shows the excess.
int Inflater::step(std::string& out, std::size_t limit) {
  std::array<char, kChunk> chunk;
  const std::size_t room = std::min(chunk.size() - 1, limit - out.size()) + 1;
  set_output(stream_, chunk, room);
  const int status = ::inflate(&stream_, Z_SYNC_FLUSH);
  out.append(chunk.data(), room - stream_.avail_out);
  return status;
}

void Inflater::reset() {
  if (open_) inflateReset(&stream_);
}

}  // namespace paperboy::ws
