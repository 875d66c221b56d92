// A publisher over HTTP: one request at a time on a connection that is kept.
#pragma once

#include <functional>

#include "subscriber.hpp"

namespace paperboy::fault {

class Publisher final : public Reader {
 public:
  /// `keys`: its messages have idempotency keys, and one whose fate is unknown
  /// is sent again until it is known. With keys every other one uses the HTTP
  /// API.
  Publisher(Stage& stage, std::uint32_t number, bool keys);
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  void on_ready() override;
  void tick(double now);

  /// Whether it can publish now: nothing of it is under way.
  [[nodiscard]] bool is_free() const { return message_.empty(); }
  /// Publishes a message of this size. REQUIRES: it is free.
  void publish(std::uint32_t channel, std::size_t size);
  /// The position of its last message that was acknowledged.
  [[nodiscard]] const Place& last() const { return last_; }

 private:
  void connect();
  void send();
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
