// What Redis sends. The first byte says where the stream is cut: whole or in
// pieces, it brings the same replies, none of them over its limit.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "broker/redis_reply.hpp"

namespace {

using paperboy::Bytes;
using namespace paperboy::broker::redis;

constexpr std::size_t kMost = 4096;

void require(bool holds) {
  if (!holds) std::abort();
}

std::size_t weight(const Reply& reply) {
  std::size_t bytes = sizeof(Reply) + reply.text.size();
  for (const Reply& item : reply.items) bytes += weight(item);
  return bytes;
}

void show(const Reply& reply, std::string& out) {
  out += static_cast<char>('0' + static_cast<int>(reply.kind));
  out += std::to_string(reply.integer) + reply.text + '(';
  for (const Reply& item : reply.items) show(item, out);
  out += ')';
}

std::string read(Bytes bytes, std::size_t piece) {
  ReplyReader reader(kMost);
  std::string out;
  while (!bytes.empty()) {
    if (!reader.feed(bytes.substr(0, piece))) return out;
    bytes.remove_prefix(std::min(piece, bytes.size()));
    for (;;) {
      auto reply = reader.next();
      if (!reply) return out;
      if (!*reply) break;
      require(weight(**reply) <= kMost);
      show(**reply, out);
    }
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  if (size == 0) return 0;
  const Bytes input(reinterpret_cast<const char*>(data) + 1, size - 1);
  // What breaks the stream may be seen sooner in pieces, never later.
  const std::string whole = read(input, input.size() + 1);
  require(whole.starts_with(read(input, 1 + data[0] % 64)));
  return 0;
}
