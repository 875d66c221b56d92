#include "base.hpp"

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iostream>
#include <iterator>

namespace paperboy::load {

namespace {

constexpr double kNanoseconds = 1e9;

}  // namespace

std::uint64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

void sleep_s(double seconds) {
  timespec time{};
  time.tv_sec = static_cast<time_t>(seconds);
  time.tv_nsec =
      static_cast<long>((seconds - std::floor(seconds)) * kNanoseconds);
  nanosleep(&time, nullptr);
}

double seconds_since(std::uint64_t ns) {
  return static_cast<double>(now_ns() - ns) / kNanoseconds;
}

void give_up(const std::string& why) {
  std::cerr << "load: " << why << '\n';
  std::_Exit(2);
}

std::string with_reason(const std::string& what) {
  return what + ": " + std::strerror(errno);
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> split(Bytes text, char separator) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const Bytes word = text.substr(0, text.find(separator));
    if (!word.empty()) words.emplace_back(word);
    text.remove_prefix(std::min(word.size() + 1, text.size()));
  }
  return words;
}

std::uint64_t number_of(Bytes text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// xorshift64*
std::uint32_t Dice::roll() {
  state_ ^= state_ >> 12;
  state_ ^= state_ << 25;
  state_ ^= state_ >> 27;
  return static_cast<std::uint32_t>((state_ * 2685821657736338717U) >> 32);
}

}  // namespace paperboy::load
