// Back ends of the classic protocol without a broker: what they are to hear is
// posted to the callbacks that they have registered with this node, each of
// which gets all of its topic. One a worker, on its event loop.
//
// A callback that answers other than 200 is dropped; one that can't be reached
// stays. What isn't posted in time is lost: whoever asked has gone by then.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "backend/callback_table.hpp"
#include "backend/complaints.hpp"
#include "backend/poster.hpp"
#include "base/counters.hpp"
#include "broker/redis_network.hpp"
#include "hub/back_end.hpp"

namespace paperboy::backend {

/// The port to the callbacks of the node, which other workers change too.
class Callbacks {
 public:
  Callbacks() = default;
  Callbacks(const Callbacks&) = delete;
  Callbacks& operator=(const Callbacks&) = delete;
  virtual ~Callbacks() = default;

  // See CallbackTable.
  [[nodiscard]] virtual std::uint64_t version() const = 0;
  [[nodiscard]] virtual std::vector<Registered> all() const = 0;
  virtual void remove(std::uint64_t serial) = 0;
};

class EmbeddedMessaging final : public hub::BackEnd {
 public:
  /// All must outlive this.
  EmbeddedMessaging(broker::redis::Network& network, Callbacks& callbacks,
                    Counters& counters, Poster::Options options,
                    std::string name_space);

  void ask(Bytes client, Bytes token) override;
  [[nodiscard]] Bytes name_space() const override { return name_space_; }

  /// To all callbacks of the topic; how many there are.
  std::size_t post(std::uint8_t topic, std::string body);

  /// Once a second: who was dropped by another worker is let go.
  void tick() { refresh(); }

 private:
  void refresh();
  [[nodiscard]] Poster* find(const Callback& callback) const;
  void add(const Registered& registered);
  void note_ended(const Callback& callback, std::uint64_t serial,
                  Poster::Outcome outcome, Bytes why);
  void note_lost(const Callback& callback, Bytes why);

  broker::redis::Network& network_;
  Callbacks& callbacks_;
  Counters& counters_;
  const Poster::Options options_;
  const std::string name_space_;
  Complaints losses_;
  std::uint64_t version_ = 0;  // of what is below
  std::vector<std::unique_ptr<Poster>> posters_;
};

}  // namespace paperboy::backend
