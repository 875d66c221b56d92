// What all of the load client uses: time, files, words, and the way it ends
// when it can't go on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace paperboy::load {

using Bytes = std::string_view;

/// Of a clock that only goes on; the same one in all processes.
[[nodiscard]] std::uint64_t now_ns();
void sleep_s(double seconds);
[[nodiscard]] double seconds_since(std::uint64_t ns);

/// Ends the process with a line on standard error, and status 2.
[[noreturn]] void give_up(const std::string& why);
/// "what: the system's reason"
[[nodiscard]] std::string with_reason(const std::string& what);

/// Empty where it can't be read: processes come and go.
[[nodiscard]] std::string read_file(const std::string& path);

/// What stands between the separators, empty words left out.
[[nodiscard]] std::vector<std::string> split(Bytes text, char separator);
[[nodiscard]] std::uint64_t number_of(Bytes text);

/// Random enough for masks and names; nothing secret.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed | 1) {}
  std::uint32_t roll();

 private:
  std::uint64_t state_;
};

}  // namespace paperboy::load
