// Ctrl-C and SIGTERM, held back while this lives, so that a command can end
// what it has begun. One a process.
#pragma once

namespace paperboy::cli {

class Interrupt {
 public:
  Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
  ~Interrupt();

  /// Readable from the first signal on; for poll().
  [[nodiscard]] int descriptor() const { return descriptor_; }

  /// Whether a signal has come.
  [[nodiscard]] bool raised() const;

 private:
  int descriptor_;
};

}  // namespace paperboy::cli
