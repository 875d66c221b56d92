// A publisher over HTTP: one request at a time on a connection that is kept.
#pragma once

#include <functional>

#include "subscriber.hpp"

namespace paperboy::fault {

/// Whoever publishes one message after the other.
class Source {
 public:
  virtual ~Source() = default;
  virtual void tick(double now) = 0;
  /// Whether it can publish now: nothing of it is under way.
  [[nodiscard]] virtual bool is_free() const = 0;
  /// Publishes a message of this size. REQUIRES: it is free.
  virtual void publish(std::uint32_t channel, std::size_t size) = 0;
};

class Publisher final : public Reader, public Source {
 public:
  /// `keys`: its messages have idempotency keys, and one whose fate is unknown
  /// is sent again until it is known. With keys every other one uses the HTTP
  /// API. `token`: it broadcasts with that, as a source of notiflux; then it
  /// has no key, and isn't told a position.
  Publisher(Stage& stage, std::uint32_t number, bool keys,
            std::string token = {});
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  void on_ready() override;
  void tick(double now) override;

  [[nodiscard]] bool is_free() const override { return message_.empty(); }
  void publish(std::uint32_t channel, std::size_t size) override;
  /// The position of its last message that was acknowledged.
  [[nodiscard]] const Place& last() const { return last_; }

 private:
  void connect();
  void send();
  [[nodiscard]] bool broadcasts() const { return !token_.empty(); }
  [[nodiscard]] bool asks_api() const { return keys_ && number_ % 2 == 1; }
  [[nodiscard]] std::string request() const;
  bool take(Bytes& bytes);
  void answered(int status, Bytes body);
  void lost();
  void done() { message_.clear(); }

  Stage& stage_;
  Socket socket_;
  std::uint32_t number_;
  bool keys_;
  std::string token_;    ///< of a source of notiflux
  std::string message_;  ///< under way; empty: none
  Stamp stamp_;
  bool sent_ = false;
  bool unsure_ = false;             ///< it may have been published before
  unsigned again_left_ = 0;         ///< how often it may yet be refused
  std::uint64_t taken_before_ = 0;  ///< of the socket, before this request
  double again_ = 0;                ///< when to connect again
  double sent_at_ = 0;
  unsigned on_this_ = 0;  ///< requests on this connection
  Place last_;
};

}  // namespace paperboy::fault
