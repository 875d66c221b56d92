#include "cli/handshake.hpp"

#include <openssl/rand.h>

#include <array>
#include <cstdlib>
#include <span>

#include "cli/words.hpp"
#include "ws/grammar.hpp"
#include "ws/handshake.hpp"

namespace paperboy::cli {

namespace {

constexpr std::size_t kKeySize = 16;

void fill_randomly(std::span<char> out) {
  if (RAND_bytes(reinterpret_cast<unsigned char*>(out.data()),
                 static_cast<int>(out.size())) != 1) {
    std::abort();
  }
}

Failure wrong(Bytes what) {
  return {Exit::network, "the server opens no WebSocket: " + std::string(what)};
}

}  // namespace

ws::MaskingKey new_masking_key() {
  ws::MaskingKey key;
  fill_randomly(key);
  return key;
}

std::string new_handshake_key() {
  std::array<char, kKeySize> key;
  fill_randomly(key);
  return base64({key.data(), key.size()});
}

std::string handshake_request(const Server& server, Bytes key, Bytes protocol) {
  std::string bearer;
  Headers headers{{"Upgrade", "websocket"},
                  {"Connection", "Upgrade"},
                  {"Sec-WebSocket-Version", "13"},
                  {"Sec-WebSocket-Key", key}};
  if (!protocol.empty()) {
    headers.emplace_back("Sec-WebSocket-Protocol", protocol);
  }
  add_credentials(server, bearer, headers);
  return format_head("GET", server.url.target, server.url.host_header(),
                     headers);
}

std::optional<Failure> why_no_websocket(const Head& head, Bytes key,
                                        Bytes protocol) {
  const auto accept = ws::accept_value(key);
  if (!ws::equal_ignoring_case(head.header("Upgrade"), "websocket")) {
    return wrong("its answer has another Upgrade");
  }
  if (head.header("Sec-WebSocket-Accept") !=
      Bytes(accept.data(), accept.size())) {
    return wrong("its Sec-WebSocket-Accept is not the answer to our key");
  }
  const Bytes chosen = head.header("Sec-WebSocket-Protocol");
  if (chosen.empty() && !protocol.empty()) {
    return Failure{Exit::refused,
                   "this location is not native: leave --channel and --native "
                   "out, and name the channel in the URL"};
  }
  if (!head.header("Sec-WebSocket-Extensions").empty() || chosen != protocol) {
    return wrong("it chose an extension or subprotocol that was not offered");
  }
  return std::nullopt;
}

}  // namespace paperboy::cli
