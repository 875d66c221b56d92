#include "cli/output.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
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

bool write_through(Bytes text, const Interrupt& interrupt) {
  std::array<pollfd, 2> polled{pollfd{STDOUT_FILENO, POLLOUT, 0},
                               pollfd{interrupt.descriptor(), POLLIN, 0}};
  while (!text.empty()) {
    poll(polled.data(), polled.size(), -1);
    if (polled[1].revents != 0) return false;
    // A pipe that is ready takes so much without blocking (pipe(7)).
    const Bytes piece = text.substr(0, PIPE_BUF);
    const ssize_t size = write(STDOUT_FILENO, piece.data(), piece.size());
    if (size < 0 && errno != EAGAIN && errno != EINTR) return note(false);
    if (size > 0) text.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

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
