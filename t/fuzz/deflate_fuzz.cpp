// Any bytes as compressed payloads: the limit holds, and what inflates does so
// again. Any bytes as messages: they go round in every window, with and
// without context takeover.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "ws/deflate.hpp"

namespace {

using paperboy::Bytes;
using namespace paperboy::ws;

void require(bool holds) {
  if (!holds) std::abort();
}

void try_to_inflate(Bytes payload, std::size_t limit) {
  Inflater inflater;
  std::string out;
  const InflateResult result = inflater.inflate(payload, limit, out);
  require(result != InflateResult::no_memory);
  require(out.size() <= limit + 1);
  if (result == InflateResult::ok) {
    require(out.size() <= limit);
    std::string again;
    inflater.reset();
    require(inflater.inflate(payload, out.size(), again) == InflateResult::ok);
    require(again == out);
    again.clear();
    inflater.reset();
    require(out.empty() || inflater.inflate(payload, out.size() - 1, again) ==
                               InflateResult::too_big);
  }
}

void go_round(Bytes messages, int bits, int level, bool takeover) {
  Deflater deflater(bits, level);
  Inflater inflater(bits);
  while (!messages.empty()) {
    const auto size =
        static_cast<std::size_t>(static_cast<unsigned char>(messages.front()));
    const Bytes message = messages.substr(1, size * 8);
    messages.remove_prefix(1 + message.size());
    if (!takeover) {
      deflater.reset();
      inflater.reset();
    }
    std::string payload;
    require(deflater.compress(message, payload));
    std::string out;
    require(inflater.inflate(payload, message.size(), out) ==
            InflateResult::ok);
    require(out == message);
  }
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it so
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  if (size < 2) return 0;
  const Bytes rest(reinterpret_cast<const char*>(data + 2), size - 2);
  if ((data[0] & 1) != 0) {
    try_to_inflate(rest, std::size_t{data[1]} * 100);
  } else {
    go_round(rest, kMinWindowBits + data[1] % 7, 1 + (data[0] >> 2) % 9,
             (data[0] & 2) != 0);
  }
  return 0;
}
