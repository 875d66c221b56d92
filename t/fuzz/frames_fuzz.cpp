// A client's stream of any bytes, or of frames that are right in form but not
// in order: however it is cut, the receiver makes the same of it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <string>
#include <vector>

#include "../unit/ws/client.hpp"
#include "base/utf8.hpp"

namespace {

using paperboy::Bytes;
using paperboy::Kind;
using namespace paperboy::ws;

void require(bool holds) {
  if (!holds) std::abort();
}

// Each frame: a first byte, a length, a payload.
std::string make_frames(Bytes in) {
  std::string stream;
  while (in.size() >= 2) {
    const auto first = static_cast<std::uint8_t>(in[0]);
    const auto length = static_cast<std::uint8_t>(in[1]);
    const Bytes payload = in.substr(2, length);
    Flags flags;
    flags.fin = (first & 0x80) != 0;
    flags.rsv1 = (first & 0x40) != 0;
    stream += client_frame(static_cast<Opcode>(first & 0x0F), payload, flags);
    in.remove_prefix(2 + payload.size());
  }
  return stream;
}

std::vector<std::size_t> cuts_of(std::size_t size, unsigned seed) {
  std::vector<std::size_t> cuts;
  for (std::size_t at = seed % 7; at < size; at += 1 + seed % 23) {
    cuts.push_back(at);
    seed = seed * 1664525 + 1013904223;
  }
  return cuts;
}

class Checker : public Recorder {
 public:
  bool on_message(Kind kind, Bytes data) override {
    require(data.size() <= limit);
    require(kind == Kind::binary || paperboy::is_utf8(data));
    return true;
  }
  std::size_t limit = 0;
};

void check(std::string stream, const ReceiverOptions& options) {
  Receiver receiver;
  Checker checker;
  checker.limit = options.max_message_size;
  receiver.feed(stream, checker, options);
}

void compare(const std::string& stream, const ReceiverOptions& options,
             unsigned seed) {
  const std::string whole = receive(stream, options, {});
  require(receive(stream, options, cuts_of(stream.size(), seed)) == whole);
  std::vector<std::size_t> everywhere(stream.size());
  std::iota(everywhere.begin(), everywhere.end(), 0);
  require(receive(stream, options, everywhere) == whole);
  check(stream, options);
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it so
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  if (size < 2) return 0;
  Inflater shared;
  ReceiverOptions options;
  options.deflate = (data[0] & 1) != 0;
  options.inflater = (data[0] & 2) != 0 ? &shared : nullptr;
  options.max_message_size = (data[0] & 4) != 0 ? 50 : 4096;
  const Bytes rest(reinterpret_cast<const char*>(data + 2), size - 2);
  compare((data[0] & 8) != 0 ? std::string(rest) : make_frames(rest), options,
          data[1]);
  return 0;
}
