// Says to an engine of one server which server that is: the first of a list
// that can be used, or the master that Sentinels name. Owned by the engine,
// which outlives it.
#pragma once

#include <cstddef>

#include "broker/redis_network.hpp"
#include "broker/redis_options.hpp"

namespace paperboy::broker::redis {

class GuideEvents {
 public:
  GuideEvents() = default;
  GuideEvents(const GuideEvents&) = delete;
  GuideEvents& operator=(const GuideEvents&) = delete;
  virtual ~GuideEvents() = default;

  /// This one is it. Also unasked, where it was another before.
  virtual void on_named(const Server& server) = 0;
  /// Nobody knows; the log has said why.
  virtual void on_unknown() = 0;
};

class Guide {
 public:
  Guide() = default;
  Guide(const Guide&) = delete;
  Guide& operator=(const Guide&) = delete;
  virtual ~Guide() = default;

  virtual void start(GuideEvents& events) = 0;

  /// One event comes of it, maybe during the call.
  virtual void find() = 0;

  /// The server that was named is there.
  virtual void note_up() {}
  /// It is lost, or couldn't be used. True: one has to wait before the next
  /// `find`.
  virtual bool note_lost(bool was_up) = 0;
};

/// The servers of the options in their order, and from the first again when one
/// that was there is lost.
class ListGuide final : public Guide {
 public:
  explicit ListGuide(const Options& options) : options_(options) {}

  void start(GuideEvents& events) override { events_ = &events; }
  void find() override { events_->on_named(options_.servers[next_]); }
  bool note_lost(bool was_up) override {
    next_ = was_up ? 0 : (next_ + 1) % options_.servers.size();
    return next_ == 0;
  }

 private:
  const Options& options_;
  GuideEvents* events_ = nullptr;
  std::size_t next_ = 0;  // the server that is tried
};

}  // namespace paperboy::broker::redis
