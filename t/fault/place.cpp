#include "place.hpp"

#include <charconv>
#include <cstring>

namespace paperboy::fault {

namespace {

/// Takes `word` and the number after it off the front.
bool take(Bytes& text, Bytes word, std::uint32_t& number) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

}  // namespace

std::uint64_t parse_epoch(Bytes text) {
  std::uint64_t epoch = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), epoch, 16);
  return error == std::errc{} && end == text.data() + text.size() ? epoch : 0;
}

std::string epoch_text(std::uint64_t epoch) {
  char text[16];
  const auto [end, error] = std::to_chars(text, text + sizeof text, epoch, 16);
  return {text, end};
}

Place parse_place(Bytes text) {
  const std::size_t colon = text.find(':');
  if (colon == Bytes::npos) return {};
  Place place{parse_epoch(text.substr(0, colon)), 0};
  text.remove_prefix(colon + 1);
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), place.offset);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  return whole ? place : Place{};
}

std::string place_text(const Place& place) {
  return epoch_text(place.epoch) + ":" + std::to_string(place.offset);
}

std::string stamped(const Stamp& stamp, std::size_t size) {
  std::string text = R"({"p":)" + std::to_string(stamp.publisher) + R"(,"c":)" +
                     std::to_string(stamp.channel) + R"(,"n":)" +
                     std::to_string(stamp.number) + R"(,"x":")";
  // Other bytes in each message, so that none can stand for another.
  const char letter = static_cast<char>('a' + stamp.number % 26);
  if (text.size() + 2 < size) text.append(size - text.size() - 2, letter);
  return text += R"("})";
}

Stamp read_stamp(Bytes message) {
  Stamp stamp{.hash = hash_of(message)};
  const bool ours = take(message, R"({"p":)", stamp.publisher) &&
                    take(message, R"(,"c":)", stamp.channel) &&
                    take(message, R"(,"n":)", stamp.number);
  return ours ? stamp : Stamp{};
}

std::uint64_t hash_of(Bytes bytes) {
  constexpr std::uint64_t kPrime = 0x9E3779B97F4A7C15;
  std::uint64_t hash = bytes.size() * kPrime;
  const auto mix = [&hash](std::uint64_t word) {
    hash = (hash ^ word) * kPrime;
    hash ^= hash >> 29;
  };
  while (bytes.size() >= sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof word);
    mix(word);
    bytes.remove_prefix(sizeof word);
  }
  for (const char c : bytes) mix(static_cast<unsigned char>(c));
  return hash;
}

}  // namespace paperboy::fault
