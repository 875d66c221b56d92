// A network over poll(), for tests that speak to real servers: turn by turn, as
// nginx's loop would. Plain TCP to addresses, and unix sockets.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "broker/redis_network.hpp"

namespace paperboy::broker::redis {

class PollNetwork final : public Network {
 public:
  explicit PollNetwork(std::uint64_t connect_ms = 2000)
      : connect_ms_(connect_ms) {}
  ~PollNetwork() override = default;

  std::unique_ptr<Wire> connect(const Server& server,
                                WireEvents& events) override {
    return std::make_unique<PollWire>(*this, server, events);
  }
  std::unique_ptr<Alarm> alarm(std::function<void()> ring,
                               bool holds) override {
    return std::make_unique<PollAlarm>(*this, std::move(ring), holds);
  }
  [[nodiscard]] const Clock& clock() const override { return clock_; }
  std::uint64_t random() override {
    random_ = random_ * 6364136223846793005U + 1442695040888963407U;
    return random_ >> 33;
  }
  void log(LogLevel /*level*/, Bytes text) override { logs.emplace_back(text); }

  /// Waits for at most `ms` until something happens, and lets it happen.
  void turn(int ms) {
    std::vector<pollfd> sockets;
    std::vector<std::uint64_t> ids;
    for (const auto& [id, wire] : wires_) {
      sockets.push_back({wire->socket(), wire->wanted(), 0});
      ids.push_back(id);
    }
    poll(sockets.data(), sockets.size(), wait_ms(ms));
    clock_.read();
    const std::uint64_t before = next_++;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const auto found = wires_.find(ids[i]);
      if (found == wires_.end() || sockets[i].revents == 0) continue;
      found->second->happen(sockets[i].revents);
    }
    ring_alarms(before);
  }

  /// Turns until `holds`, for at most so long; whether it does.
  bool turn_until(const std::function<bool()>& holds, int ms = 10'000) {
    clock_.read();
    const std::uint64_t end =
        clock_.monotonic_ms() + static_cast<std::uint64_t>(ms);
    while (!holds()) {
      if (clock_.monotonic_ms() >= end) return false;
      turn(20);
    }
    return true;
  }

  /// Alarms that a leaving worker waits for.
  [[nodiscard]] std::size_t holding() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        alarms_, [](const auto& entry) { return entry.second->holds(); }));
  }
  [[nodiscard]] std::size_t connections() const { return wires_.size(); }

  std::vector<std::string> logs;

  /// What comes of topics is left in the sockets.
  bool holds_topics = false;

 private:
  class LoopClock final : public Clock {
   public:
    LoopClock() { read(); }
    [[nodiscard]] std::uint64_t monotonic_ms() const override { return ms_; }
    [[nodiscard]] std::int64_t unix_seconds() const override {
      return std::time(nullptr);
    }
    void read() {
      using namespace std::chrono;
      ms_ = static_cast<std::uint64_t>(
          duration_cast<milliseconds>(steady_clock::now().time_since_epoch())
              .count());
    }

   private:
    std::uint64_t ms_ = 0;
  };

  // When it rings, and what tells it from others that ring then.
  using Due = std::pair<std::uint64_t, std::uint64_t>;

  class PollAlarm final : public Alarm {
   public:
    PollAlarm(PollNetwork& network, std::function<void()> ring, bool holds)
        : network_(network), ring_(std::move(ring)), holds_(holds) {}
    ~PollAlarm() override { cancel(); }

    void set(std::uint64_t delay_ms) override {
      cancel();
      due_ = {network_.clock_.monotonic_ms() + delay_ms, network_.next_++};
      network_.alarms_.emplace(due_, this);
    }
    void cancel() override {
      network_.alarms_.erase(due_);
      due_ = {};
    }
    [[nodiscard]] bool is_set() const override {
      return network_.alarms_.contains(due_);
    }
    [[nodiscard]] bool holds() const { return holds_; }
    void ring() {
      cancel();
      const std::function<void()> ring = ring_;  // it may destroy this
      ring();
    }

   private:
    PollNetwork& network_;
    std::function<void()> ring_;
    bool holds_;
    Due due_{};
  };

  class PollWire final : public Wire {
   public:
    PollWire(PollNetwork& network, const Server& server, WireEvents& events)
        : network_(network), id_(network.next_++), events_(events) {
      network_.wires_.emplace(id_, this);
      begin(server);
      late_ = network_.alarm([this] { end("it took too long"); }, false);
      late_->set(failed_.empty() ? network_.connect_ms_ : 0);
    }
    ~PollWire() override {
      network_.wires_.erase(id_);
      if (socket_ >= 0) close(socket_);
    }

    void send(Bytes bytes) override {
      listens_ |= bytes.find("SUBSCRIBE") != Bytes::npos;
      out_.append(bytes);
    }
    [[nodiscard]] std::size_t unsent() const override { return out_.size(); }
    void read(bool on) override { reading_ = on; }

    [[nodiscard]] int socket() const {
      return ended_ || !failed_.empty() ? -1 : socket_;
    }
    [[nodiscard]] short wanted() const {
      const bool writes = !open_ || !out_.empty();
      return static_cast<short>((writes ? POLLOUT : 0) |
                                (reads() ? POLLIN : 0));
    }

    void happen(short what) {
      if (!open_) return opened();  // this may go with any event
      if ((what & POLLOUT) != 0 && !write_out()) return;
      if (reads() && (what & (POLLIN | POLLHUP | POLLERR)) != 0) read_in();
    }

   private:
    [[nodiscard]] bool reads() const {
      return reading_ && !(listens_ && network_.holds_topics);
    }

    void begin(const Server& server) {
      const bool local = server.host.empty();
      socket_ = ::socket(local ? AF_UNIX : AF_INET,
                         SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      int result = 0;
      if (local) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, server.path.c_str(),
                     sizeof(address.sun_path) - 1);
        result = ::connect(socket_, reinterpret_cast<sockaddr*>(&address),
                           sizeof(address));
      } else {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(server.port);
        const char* const host =
            server.host == "localhost" ? "127.0.0.1" : server.host.c_str();
        if (inet_pton(AF_INET, host, &address.sin_addr) != 1 || server.tls) {
          failed_ = "the test's network can't";
          return;
        }
        result = ::connect(socket_, reinterpret_cast<sockaddr*>(&address),
                           sizeof(address));
      }
      if (result != 0 && errno != EINPROGRESS) failed_ = std::strerror(errno);
    }

    void opened() {
      int error = 0;
      socklen_t size = sizeof(error);
      getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &size);
      if (error != 0) return end(std::strerror(error));
      open_ = true;
      late_->cancel();
      events_.on_open();
    }

    bool write_out() {
      const ssize_t sent =
          ::send(socket_, out_.data(), out_.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN) {
        end(std::strerror(errno));
        return false;
      }
      if (sent > 0) out_.erase(0, static_cast<std::size_t>(sent));
      return true;
    }

    void read_in() {
      std::string bytes(64UL * 1024, '\0');
      const ssize_t size = recv(socket_, bytes.data(), bytes.size(), 0);
      if (size == 0) return end("it closed the connection");
      if (size < 0 && errno == EAGAIN) return;
      if (size < 0) return end(std::strerror(errno));
      bytes.resize(static_cast<std::size_t>(size));
      events_.on_bytes(bytes);
    }

    void end(Bytes why) {
      if (std::exchange(ended_, true)) return;
      const std::string reason = failed_.empty() ? std::string(why) : failed_;
      events_.on_lost(reason);
    }

    PollNetwork& network_;
    const std::uint64_t id_;
    WireEvents& events_;
    int socket_ = -1;
    bool open_ = false;
    bool ended_ = false;
    bool reading_ = true;
    bool listens_ = false;
    std::string failed_;  // it couldn't even begin
    std::string out_;
    std::unique_ptr<Alarm> late_;
  };

  [[nodiscard]] int wait_ms(int ms) {
    if (alarms_.empty()) return ms;
    clock_.read();
    const std::uint64_t due = alarms_.begin()->first.first;
    const std::uint64_t now = clock_.monotonic_ms();
    return static_cast<int>(std::min<std::uint64_t>(
        static_cast<std::uint64_t>(ms), due > now ? due - now : 0));
  }

  /// Those that were set before this turn.
  void ring_alarms(std::uint64_t before) {
    std::vector<Due> due;
    for (const auto& [when, alarm] : alarms_) {
      if (when.first > clock_.monotonic_ms()) break;
      if (when.second < before) due.push_back(when);
    }
    for (const Due& when : due) {
      const auto found = alarms_.find(when);
      if (found != alarms_.end()) found->second->ring();
    }
  }

  const std::uint64_t connect_ms_;
  LoopClock clock_;
  std::uint64_t random_ = 1;
  std::uint64_t next_ = 1;
  std::map<std::uint64_t, PollWire*> wires_;
  std::map<Due, PollAlarm*> alarms_;
};

}  // namespace paperboy::broker::redis
