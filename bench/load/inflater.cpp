#include "inflater.hpp"

namespace paperboy::load {

namespace {

constexpr int kWindow = -15;  // no header of zlib's
constexpr Bytes kTail("\0\0\xff\xff", 4);

}  // namespace

Inflater::Inflater(std::size_t most) : most_(most) {
  if (inflateInit2(&stream_, kWindow) != Z_OK) give_up("zlib doesn't begin");
}

Inflater::~Inflater() { inflateEnd(&stream_); }

std::optional<Bytes> Inflater::inflate(Bytes payload) {
  inflateReset(&stream_);
  if (out_.empty()) out_.resize(most_);
  in_.assign(payload).append(kTail);
  stream_.next_in = reinterpret_cast<Bytef*>(in_.data());
  stream_.avail_in = static_cast<uInt>(in_.size());
  stream_.next_out = reinterpret_cast<Bytef*>(out_.data());
  stream_.avail_out = static_cast<uInt>(out_.size());
  const int result = ::inflate(&stream_, Z_SYNC_FLUSH);
  if (result != Z_OK && result != Z_BUF_ERROR && result != Z_STREAM_END) {
    return std::nullopt;
  }
  return Bytes(out_.data(), out_.size() - stream_.avail_out);
}

}  // namespace paperboy::load
