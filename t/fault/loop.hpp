// Sockets, and the one loop that they are read and written from.
#pragma once

#include <cstdint>
#include <string>

#include "place.hpp"

namespace paperboy::fault {

/// Seconds, of a clock that only goes on.
[[nodiscard]] double now_s();

/// Who is told of sockets. Lives as long as the loop.
class Reader {
 public:
  virtual void on_ready() = 0;

 protected:
  ~Reader() = default;
};

class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Level-triggered. `writing`: also when it can be written to.
  void add(int fd, Reader& reader, bool writing);
  void change(int fd, Reader& reader, bool writing);
  void remove(int fd);

  /// Waits for at most so long, and tells whoever is ready.
  void run_once(int milliseconds);

 private:
  int epoll_;
};

/// A connection to 127.0.0.1, which may come about later. Reads into a buffer
/// that all share; only an incomplete message is kept.
class Socket final {
 public:
  /// Both must outlive it.
  Socket(Loop& loop, Reader& reader) : loop_(loop), reader_(reader) {}
  ~Socket() { close(); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  /// `receive_buffer`: 0 for the system's. False: at once refused.
  bool connect(std::uint16_t port, int receive_buffer);
  void close();
  /// Ends what it says; what the other end says is read on.
  void end();
  /// While it is paused nothing is read, and its end isn't noticed.
  void pause(bool paused);

  void write(Bytes bytes);
  /// What didn't leave at once. False: the connection has ended.
  bool flush();

  /// Bytes that the kernel has taken of all that was written, in all.
  [[nodiscard]] std::uint64_t taken() const { return taken_; }

  /// All that there is to be looked at, or nothing where it has ended: then
  /// `has_ended`. At most a buffer at a time.
  Bytes read();
  [[nodiscard]] bool has_ended() const { return ended_; }
  /// What of the last `read` is incomplete, and is to come again.
  void keep(Bytes rest);

  [[nodiscard]] bool is_open() const { return fd_ >= 0; }

 private:
  Loop& loop_;
  Reader& reader_;
  int fd_ = -1;
  bool paused_ = false;
  bool ended_ = false;
  std::uint64_t taken_ = 0;
  std::string out_;
  std::string kept_;
};

}  // namespace paperboy::fault
