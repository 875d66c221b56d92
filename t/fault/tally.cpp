#include "tally.hpp"

#include <chrono>

namespace paperboy::fault {

namespace {

constexpr std::uint64_t kMostComplaints = 200;

double now_s() {
  using std::chrono::steady_clock;
  static const auto start = steady_clock::now();
  return std::chrono::duration<double>(steady_clock::now() - start).count();
}

}  // namespace

void Tally::note(const std::string& text) {
  if (log_ != nullptr) {
    std::fprintf(log_, "%9.4f %s\n", now_s(), text.c_str());
  }
}

void Tally::complain(std::uint64_t& count, std::uint64_t number,
                     const char* kind, const std::string& text) {
  count += number;
  if (++complaints_[kind] > kMostComplaints) return;
  note(std::string("COMPLAINT ") + kind + ": " + text);
}

}  // namespace paperboy::fault
