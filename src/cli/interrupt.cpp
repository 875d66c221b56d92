// The signals are blocked and stay pending; the signalfd only tells of them,
// and is never read.
#include "cli/interrupt.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace paperboy::cli {

namespace {

sigset_t ours() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

Interrupt::Interrupt() : descriptor_(-1) {
  const sigset_t set = ours();
  descriptor_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  // Without the descriptor the signals do what they always do.
  if (descriptor_ >= 0) sigprocmask(SIG_BLOCK, &set, nullptr);
}

// They stay blocked: what is pending must not kill the process on its way out.
Interrupt::~Interrupt() {
  if (descriptor_ >= 0) close(descriptor_);
}

bool Interrupt::raised() const {
  pollfd one{descriptor_, POLLIN, 0};
  return poll(&one, 1, 0) > 0;
}

}  // namespace paperboy::cli
