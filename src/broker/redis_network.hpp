// The port to the network and to time, for what speaks to Redis: streams of
// bytes to servers, and alarms. One a worker, on its event loop; it outlives
// what it made. No call blocks, and no event comes during a call.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/bytes.hpp"
#include "base/clock.hpp"

namespace paperboy::broker::redis {

/// Where a server is.
struct Server {
  std::string host;  // a name or an address; empty: `path`
  std::uint16_t port = 6379;
  std::string path{};  // of a unix socket
  bool tls = false;

  friend bool operator==(const Server&, const Server&) = default;
};

/// What becomes of a stream.
class WireEvents {
 public:
  WireEvents() = default;
  WireEvents(const WireEvents&) = delete;
  WireEvents& operator=(const WireEvents&) = delete;
  virtual ~WireEvents() = default;

  /// It is connected, TLS included; once, before anything else.
  virtual void on_open() = 0;
  /// The bytes live for the call.
  virtual void on_bytes(Bytes bytes) = 0;
  /// It couldn't be connected, or has ended; the last event. `why`: for a log.
  virtual void on_lost(Bytes why) = 0;
};

/// A stream to one server. Destroying it closes it at once, also from within
/// one of its events; then no event comes any more.
class Wire {
 public:
  Wire() = default;
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;
  virtual ~Wire() = default;

  /// Copies them; what a turn of the loop brings leaves in one write. What is
  /// sent before on_open leaves then.
  virtual void send(Bytes bytes) = 0;
  /// Bytes that the kernel hasn't taken yet.
  [[nodiscard]] virtual std::size_t unsent() const = 0;
  /// Off: what comes is left in the socket, so that the server has to wait.
  virtual void read(bool on) = 0;
};

/// Rings once, some time after it was set.
class Alarm {
 public:
  Alarm() = default;
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;
  virtual ~Alarm() = default;

  /// Moves it where it is set. 0: in the next turn of the loop.
  virtual void set(std::uint64_t delay_ms) = 0;
  virtual void cancel() = 0;
  [[nodiscard]] virtual bool is_set() const = 0;
};

enum class LogLevel : std::uint8_t { info, warning, error };

class Network {
 public:
  Network() = default;
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;
  virtual ~Network() = default;

  /// Finds the server by its name, connects, and shakes hands (TLS), within
  /// its time to connect. `events` must outlive the wire.
  virtual std::unique_ptr<Wire> connect(const Server& server,
                                        WireEvents& events) = 0;

  /// `holds`: a worker that is told to go waits for it to ring, or to be
  /// cancelled.
  virtual std::unique_ptr<Alarm> alarm(std::function<void()> ring,
                                       bool holds = false) = 0;

  [[nodiscard]] virtual const Clock& clock() const = 0;
  virtual std::uint64_t random() = 0;
  virtual void log(LogLevel level, Bytes text) = 0;
};

}  // namespace paperboy::broker::redis
