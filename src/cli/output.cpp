#include "cli/output.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace paperboy::cli {

namespace {

int output_error = 0;  // errno of the first write that failed

bool note(bool good) {
  if (!good && output_error == 0) output_error = errno;
  return output_error == 0;
}

}  // namespace

bool print(Bytes text) {
  return note(std::fwrite(text.data(), 1, text.size(), stdout) == text.size());
}

bool flush() { return note(std::fflush(stdout) == 0); }

void complain(Bytes text) {
  std::fprintf(stderr, "paperboy-cli: %.*s\n", static_cast<int>(text.size()),
               text.data());
}

Exit fail_with(const Failure& failure) {
  flush();
  complain(failure.text);
  return failure.exit;
}

Exit finished() {
  if (flush() || output_error == EPIPE) return Exit::done;
  return fail_with(
      misused(std::string("standard output: ") + std::strerror(output_error)));
}

bool asks_for_help(Words words) {
  const auto end = std::ranges::find(words, Bytes("--"));
  return std::find(words.begin(), end, Bytes("--help")) != end ||
         std::find(words.begin(), end, Bytes("-h")) != end;
}

}  // namespace paperboy::cli
