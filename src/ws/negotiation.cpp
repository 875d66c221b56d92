// RFC 7692 section 7.1. An offer is read into what the client said; then our
// own wishes are laid over it.
#include "ws/negotiation.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

#include "ws/grammar.hpp"

namespace paperboy::ws {

namespace {

constexpr Bytes kName = "permessage-deflate";
constexpr Bytes kServerNoTakeover = "server_no_context_takeover";
constexpr Bytes kClientNoTakeover = "client_no_context_takeover";
constexpr Bytes kServerBits = "server_max_window_bits";
constexpr Bytes kClientBits = "client_max_window_bits";

struct Offer {
  bool server_no_takeover = false;
  bool client_no_takeover = false;
  std::optional<int> server_bits;
  std::optional<int> client_bits;
};

// "8" to "15", without leading zeros (section 7.1.2.1).
std::optional<int> read_bits(const std::string& text) {
  int bits = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, bits);
  const bool good = error == std::errc{} && stop == end && text[0] != '0' &&
                    bits >= 8 && bits <= kMaxWindowBits;
  return good ? std::optional(bits) : std::nullopt;
}

bool read_flag(const Parameter& parameter, bool& flag) {
  if (flag || parameter.value) return false;
  flag = true;
  return true;
}

// Without a value: `otherwise`, or no good where that is empty.
bool read_window(const Parameter& parameter, std::optional<int> otherwise,
                 std::optional<int>& bits) {
  if (bits) return false;
  bits = parameter.value ? read_bits(*parameter.value) : otherwise;
  return bits.has_value();
}

bool read_parameter(const Parameter& parameter, Offer& offer) {
  if (parameter.name == kServerNoTakeover) {
    return read_flag(parameter, offer.server_no_takeover);
  }
  if (parameter.name == kClientNoTakeover) {
    return read_flag(parameter, offer.client_no_takeover);
  }
  if (parameter.name == kServerBits) {
    return read_window(parameter, std::nullopt, offer.server_bits);
  }
  if (parameter.name == kClientBits) {
    return read_window(parameter, kMaxWindowBits, offer.client_bits);
  }
  return false;
}

DeflateParams agree(const Offer& offer, const DeflateConfig& config) {
  DeflateParams params;
  params.server_no_context_takeover =
      offer.server_no_takeover || !config.server_context_takeover;
  params.client_no_context_takeover =
      offer.client_no_takeover || !config.client_context_takeover;
  params.server_max_window_bits =
      std::min(offer.server_bits.value_or(kMaxWindowBits),
               config.server_max_window_bits);
  // Section 7.1.2.1: who was asked must answer; who wasn't may.
  params.answer_server_bits =
      offer.server_bits || params.server_max_window_bits < kMaxWindowBits;
  // Section 7.1.2.2: a client that didn't offer it can't be asked. One that
  // says 8 keeps to it unasked, and 9 reads what it sends.
  if (offer.client_bits) {
    const int bits =
        std::min(*offer.client_bits, config.client_max_window_bits);
    params.client_max_window_bits = std::max(bits, kMinWindowBits);
    params.answer_client_bits = bits >= kMinWindowBits && bits < kMaxWindowBits;
  }
  return params;
}

std::optional<DeflateParams> take(const Extension& extension,
                                  const DeflateConfig& config) {
  Offer offer;
  for (const Parameter& parameter : extension.parameters) {
    if (!read_parameter(parameter, offer)) return std::nullopt;
  }
  if (offer.server_bits && *offer.server_bits < kMinWindowBits) {
    return std::nullopt;
  }
  return agree(offer, config);
}

}  // namespace

std::optional<DeflateParams> negotiate(std::span<const Bytes> extensions,
                                       const DeflateConfig& config) {
  if (!config.enabled) return std::nullopt;
  std::vector<Extension> offers;
  for (const Bytes value : extensions) {
    if (!parse_extensions(value, offers)) break;
  }
  for (const Extension& offer : offers) {
    if (offer.name != kName) continue;
    if (const auto params = take(offer, config)) return params;
  }
  return std::nullopt;
}

std::string answer(const DeflateParams& params) {
  std::string text(kName);
  const auto add = [&](Bytes name) { text.append("; ").append(name); };
  if (params.server_no_context_takeover) add(kServerNoTakeover);
  if (params.client_no_context_takeover) add(kClientNoTakeover);
  if (params.answer_server_bits) {
    add(kServerBits);
    text.append("=").append(std::to_string(params.server_max_window_bits));
  }
  if (params.answer_client_bits) {
    add(kClientBits);
    text.append("=").append(std::to_string(params.client_max_window_bits));
  }
  return text;
}

}  // namespace paperboy::ws
