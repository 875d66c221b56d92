// Requests made of any bytes, and good ones with any bytes as one header:
// nothing crashes, and what is accepted is what RFC 6455 and 7692 allow.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "ws/grammar.hpp"
#include "ws/handshake.hpp"
#include "ws/negotiation.hpp"

namespace {

using paperboy::Bytes;
using namespace paperboy::ws;

void require(bool holds) {
  if (!holds) std::abort();
}

Bytes cut_line(Bytes& text) {
  const std::size_t end = text.find('\n');
  const Bytes line = text.substr(0, end);
  text.remove_prefix(end == Bytes::npos ? text.size() : end + 1);
  return line;
}

HeaderField to_field(Bytes line) {
  const std::size_t colon = std::min(line.find(':'), line.size());
  return {line.substr(0, colon), line.substr(std::min(colon + 1, line.size()))};
}

void require_bits(int bits) {
  require(bits >= kMinWindowBits && bits <= kMaxWindowBits);
}

void try_negotiation(const std::vector<Bytes>& values, int seed) {
  DeflateConfig config;
  config.enabled = true;
  config.server_context_takeover = (seed & 1) != 0;
  config.client_context_takeover = (seed & 2) != 0;
  config.server_max_window_bits = 9 + (seed >> 2) % 7;
  config.client_max_window_bits = 9 + (seed >> 4) % 7;
  const auto params = negotiate(values, config);
  if (!params) return;
  require_bits(params->server_max_window_bits);
  require_bits(params->client_max_window_bits);

  // The answer is an offer that is taken, and changes nothing any more.
  const std::string text = answer(*params);
  const std::vector<Bytes> again{text};
  const auto same = negotiate(again, config);
  require(same.has_value() && answer(*same) == text);
}

void try_request(const std::vector<HeaderField>& headers, int seed) {
  const auto result = check_upgrade({"GET", 1, 1, headers});
  if (!result) {
    const int status = result.error().status;
    require(status == 400 || status == 426);
    return;
  }
  const Upgrade& upgrade = result.value();
  require(upgrade.key.size() == 24);
  for (const Bytes name : upgrade.protocols) {
    require(is_token(name));
    require(std::count(upgrade.protocols.begin(), upgrade.protocols.end(),
                       name) == 1);
  }
  for (const char c : accept_value(upgrade.key)) require(c != '\0');
  try_negotiation(upgrade.extensions, seed);
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it so
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  if (size == 0) return 0;
  Bytes rest(reinterpret_cast<const char*>(data + 1), size - 1);
  std::vector<HeaderField> any;
  std::vector<HeaderField> good{
      {"Host", "a"},
      {"Upgrade", "websocket"},
      {"Connection", "Upgrade"},
      {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
      {"Sec-WebSocket-Version", "13"},
  };
  std::vector<Bytes> values;
  while (!rest.empty()) {
    const Bytes line = cut_line(rest);
    any.push_back(to_field(line));
    const bool protocol = (line.size() + data[0]) % 4 == 0;
    good.push_back(
        {protocol ? "Sec-WebSocket-Protocol" : "Sec-WebSocket-Extensions",
         line});
    values.push_back(line);
  }
  try_request(any, data[0]);
  try_request(good, data[0]);
  try_negotiation(values, data[0]);
  return 0;
}
