// A subscriber that writes down what it hears, for tests of the hub and of
// brokers behind it.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "base/encoder.hpp"
#include "hub/subscription.hpp"

namespace paperboy::hub {

/// "offset=data;" for each publication.
class Lines final : public Encoder {
 public:
  explicit Lines(std::string prefix = {}) : prefix_(std::move(prefix)) {}

  void encode(const Publication& publication, std::string& out) override {
    ++encoded;
    out.append(prefix_)
        .append(std::to_string(publication.position.offset))
        .append("=")
        .append(publication.data)
        .append(";");
  }

  int encoded = 0;

 private:
  std::string prefix_;
};

/// Notes what it is told: runs as they are, gaps as "gap;".
class Listener final : public Subscriber {
 public:
  /// Its subscription, to be subscribed in `hub`.
  Subscription& in(Hub& hub) {
    hub_ = &hub;
    return subscription;
  }
  [[nodiscard]] Hub& hub() const override { return *hub_; }
  void deliver(const Subscription&, Bytes run, std::uint32_t count) override {
    heard += run;
    publications += count;
    ++runs;
    last_run = run;
  }
  void gap(const Subscription&) override { heard += "gap;"; }

  std::string heard;
  std::uint32_t publications = 0;
  int runs = 0;
  Bytes last_run;
  Subscription subscription{*this};

 private:
  Hub* hub_ = nullptr;
};

}  // namespace paperboy::hub
