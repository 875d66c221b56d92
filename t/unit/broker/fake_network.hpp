// A network and a time that do what a test says, and nothing else.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "broker/redis_network.hpp"
#include "broker/redis_reply.hpp"

namespace paperboy::broker::redis {

class FakeNetwork final : public Network {
 public:
  /// A connection that somebody made; the test is its server.
  struct Peer {
    Server server;
    WireEvents* events;
    std::string sent;  // and not taken yet
    bool reading = true;
    bool opened = false;
    bool alive = true;

    /// The commands that were sent since the last time, a line each.
    std::string take() {
      ReplyReader reader(64UL * 1024 * 1024);
      std::string lines;
      if (!reader.feed(std::exchange(sent, {}))) return "?";
      for (;;) {
        auto command = reader.next();
        if (!command || !*command) return lines;
        std::string line;
        for (const Reply& word : (*command)->items) line += word.text + " ";
        line.back() = '\n';
        lines += line;
      }
    }
    void open() {
      if (alive && !std::exchange(opened, true)) events->on_open();
    }
    void answer(Bytes bytes) const {
      if (alive && opened) events->on_bytes(bytes);
    }
  };

  std::unique_ptr<Wire> connect(const Server& server,
                                WireEvents& events) override {
    peers.push_back(std::make_shared<Peer>(Peer{server, &events, {}}));
    return std::make_unique<FakeWire>(peers.back());
  }
  std::unique_ptr<Alarm> alarm(std::function<void()> ring,
                               bool holds) override {
    return std::make_unique<FakeAlarm>(*this, std::move(ring), holds);
  }
  [[nodiscard]] const Clock& clock() const override { return clock_; }
  std::uint64_t random() override { return 0; }
  void log(LogLevel /*level*/, Bytes text) override { logs.emplace_back(text); }

  /// Time goes on by so much; alarms ring when they are due. 0: a turn.
  void pass(std::uint64_t ms) {
    const std::uint64_t end = clock_.ms + ms;
    for (;;) {
      const auto next = std::ranges::min_element(
          alarms_, {}, [](const FakeAlarm* alarm) { return alarm->due(); });
      if (next == alarms_.end() || (*next)->due() > end) break;
      clock_.ms = std::max(clock_.ms, (*next)->due());
      (*next)->ring();
    }
    clock_.ms = end;
  }
  /// This worker does something else for so long.
  void stall(std::uint64_t ms) {
    clock_.ms += ms;
    pass(0);
  }

  [[nodiscard]] std::size_t holding() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        alarms_, [](const FakeAlarm* alarm) { return alarm->holds(); }));
  }

  std::vector<std::shared_ptr<Peer>> peers;
  std::vector<std::string> logs;

 private:
  struct ManualClock final : Clock {
    [[nodiscard]] std::uint64_t monotonic_ms() const override { return ms; }
    [[nodiscard]] std::int64_t unix_seconds() const override { return 0; }
    std::uint64_t ms = 1'000'000;
  };

  class FakeWire final : public Wire {
   public:
    explicit FakeWire(std::shared_ptr<Peer> peer) : peer_(std::move(peer)) {}
    ~FakeWire() override { peer_->alive = false; }
    void send(Bytes bytes) override { peer_->sent.append(bytes); }
    [[nodiscard]] std::size_t unsent() const override { return 0; }
    void read(bool on) override { peer_->reading = on; }

   private:
    std::shared_ptr<Peer> peer_;
  };

  class FakeAlarm final : public Alarm {
   public:
    FakeAlarm(FakeNetwork& network, std::function<void()> ring, bool holds)
        : network_(network), ring_(std::move(ring)), holds_(holds) {}
    ~FakeAlarm() override { cancel(); }
    void set(std::uint64_t delay_ms) override {
      cancel();
      due_ = network_.clock_.ms + delay_ms;
      network_.alarms_.push_back(this);
    }
    void cancel() override { std::erase(network_.alarms_, this); }
    [[nodiscard]] bool is_set() const override {
      return std::ranges::count(network_.alarms_, this) != 0;
    }
    [[nodiscard]] std::uint64_t due() const { return due_; }
    [[nodiscard]] bool holds() const { return holds_; }
    void ring() {
      cancel();
      const std::function<void()> ring = ring_;  // it may destroy this
      ring();
    }

   private:
    FakeNetwork& network_;
    std::function<void()> ring_;
    bool holds_;
    std::uint64_t due_ = 0;
  };

  ManualClock clock_;
  std::vector<FakeAlarm*> alarms_;
};

}  // namespace paperboy::broker::redis
