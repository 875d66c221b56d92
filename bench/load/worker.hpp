// One thread's connections: opens them, says what they have to say, reads what
// comes, and counts it.
//
// Its sockets stand in a table of descriptors of its own (CLONE_FILES undone),
// so that a process may hold more than RLIMIT_NOFILE of them. What an idle
// connection costs here is its entry; what is read goes through one buffer.
#pragma once

#include <atomic>
#include <memory>
#include <optional>

#include "inflater.hpp"
#include "inspector.hpp"
#include "link.hpp"
#include "options.hpp"
#include "tally.hpp"

namespace paperboy::load {

enum class State : std::uint8_t {
  unborn,
  connecting,
  shaking,    ///< TLS
  upgrading,  ///< HTTP
  greeting,   ///< hellos
  open,
  closed
};

struct Connection {
  int fd = -1;
  std::uint32_t index = 0;  ///< among those of all threads
  std::uint32_t channel = 0;
  std::unique_ptr<char[]> kept;  ///< the begin of what came only in part
  std::uint32_t kept_size = 0;
  std::uint32_t began_us = 0;  ///< since the run began
  std::uint64_t sequence = 0;  ///< the highest it has had
  State state = State::unborn;
  std::uint8_t hellos = 0;  ///< said
  bool greeted = false;     ///< by the server
  bool deflate = false;     ///< agreed upon
};

/// Of a message that comes in several frames (RFC 6455 section 5.4).
struct Fragments {
  std::string bytes;
  bool compressed = false;
};

/// What all threads of a run look at.
struct Signals {
  std::atomic<bool> stop{false};
  std::atomic<std::uint32_t> measurement{0};  ///< a new number: count anew
  std::uint64_t began_ns = 0;
};

class Worker {
 public:
  /// Of `count` connections, of which the first has the index `first` and each
  /// next one `step` more. Options and signals must outlive it.
  Worker(const Options& options, const Signals& signals, std::uint64_t first,
         std::uint64_t count, std::uint64_t step);

  /// The thread's whole life.
  void run();

  // Read by other threads while it runs.
  [[nodiscard]] std::uint64_t received() const { return received_; }
  [[nodiscard]] std::uint64_t answered() const { return answered_; }
  [[nodiscard]] std::uint64_t last_received_ns() const { return last_ns_; }
  [[nodiscard]] std::uint64_t open() const { return open_; }
  /// Opened, or failed to.
  [[nodiscard]] std::uint64_t tried() const { return tried_; }
  [[nodiscard]] std::uint32_t measurement() const { return measurement_; }

  // Read when it has stopped, or is quiet.
  [[nodiscard]] const Tally& tally() const { return tally_; }
  [[nodiscard]] const std::vector<Connection>& connections() const {
    return connections_;
  }

 private:
  void start_some(std::uint64_t began_ns);
  void run_once();
  void begin_measurement();

  // worker_open.cpp: from nothing to open, and to the end.
  void start(std::size_t id);
  bool bind_source(const Connection& connection) const;
  [[nodiscard]] const Endpoint& target(const Connection& connection) const;
  [[nodiscard]] Values values(const Connection& connection) const;
  void watch(std::size_t id, int operation, std::uint32_t events) const;
  void connected(std::size_t id, std::uint32_t events);
  void shake_hands(std::size_t id);
  void ask_for_upgrade(std::size_t id);
  void say_next_hello(std::size_t id);
  void opened(std::size_t id);
  void say(std::size_t id, std::uint8_t opcode, Bytes payload);
  bool try_to_say(std::size_t id, std::uint8_t opcode, Bytes payload);
  void fail(std::size_t id, const std::string& why);
  void shut(std::size_t id);
  void release(std::size_t id);

  // worker_read.cpp: what comes. Those that return false have ended the
  // connection, or begun it anew.
  void on_event(std::size_t id, std::uint32_t events);
  void read_all(std::size_t id, bool ending);
  /// How many bytes it took.
  std::optional<std::size_t> take(std::size_t id, Bytes bytes);
  std::optional<std::size_t> take_upgrade(std::size_t id, Bytes bytes);
  std::optional<std::size_t> take_frame(std::size_t id, Bytes bytes);
  bool on_frame(std::size_t id, const FrameHead& head, Bytes payload);
  bool on_part(std::size_t id, const FrameHead& head, Bytes payload);
  bool on_message(std::size_t id, bool compressed, Bytes payload);
  void answer(std::size_t id, const Reply& reply, Bytes rest);
  /// False: there is no message in it.
  bool inspect(std::size_t id, Bytes payload);
  bool on_close(std::size_t id, Bytes payload);
  static void keep(Connection& connection, Bytes bytes);

  const Options& options_;
  const Signals& signals_;
  const bool churn_;
  const double rate_;
  Link link_;
  Dice dice_;
  Tally tally_;
  Inspector inspector_;
  Inflater inflater_;
  std::vector<Connection> connections_;
  std::unordered_map<std::size_t, Fragments> fragments_;
  std::vector<char> buffer_;
  int epoll_ = -1;
  std::size_t next_ = 0;       ///< to be started
  std::uint64_t pending_ = 0;  ///< started and neither open nor failed
  std::uint64_t handshake_ = 0;
  std::uint64_t read_ns_ = 0;  ///< when what is looked at was read; 0: ask

  alignas(64) std::atomic<std::uint64_t> received_{0};
  std::atomic<std::uint64_t> answered_{0};
  std::atomic<std::uint64_t> last_ns_{0};
  std::atomic<std::uint64_t> open_{0};
  std::atomic<std::uint64_t> tried_{0};
  std::atomic<std::uint32_t> measurement_{0};
};

}  // namespace paperboy::load
