#include "base/envelope.hpp"

#include <charconv>

#include "base/publication.hpp"

namespace paperboy {

namespace {

constexpr char kMark = '\1';

}  // namespace

std::string make_envelope(Bytes message, Bytes payload) {
  std::string envelope(1, kMark);
  if (payload.empty()) {
    envelope.append(":").append(message);
  } else {
    const auto size = static_cast<std::size_t>(payload.data() - message.data());
    envelope.append(std::to_string(size)).append(":");
    envelope.append(message.substr(0, size));
    envelope.append(message.substr(size + payload.size()));
  }
  if (envelope.size() > Draft::kMaxExtra) return {};
  return envelope;
}

bool is_envelope(Bytes extra) { return extra.starts_with(kMark); }

/// Nothing is taken for granted of what a broker kept.
void append_message(std::string& out, Bytes envelope, Bytes payload) {
  envelope.remove_prefix(1);
  if (envelope.starts_with(':')) {
    out += envelope.substr(1);
    return;
  }
  std::size_t size = 0;
  const char* const end = envelope.data() + envelope.size();
  const auto number = std::from_chars(envelope.data(), end, size);
  envelope.remove_prefix(
      static_cast<std::size_t>(number.ptr - envelope.data()));
  if (envelope.starts_with(':')) envelope.remove_prefix(1);
  if (number.ec != std::errc() || size > envelope.size()) size = 0;
  out.append(envelope.substr(0, size))
      .append(payload)
      .append(envelope.substr(size));
}

}  // namespace paperboy
