// One client of this worker's: what a socket and a held request have in
// common. What waits for it is sent, and its end is done, by the worker when
// the turn ends.
#pragma once

#include "nginx/ngx.hpp"

#include <memory>

#include "nginx/outbox.hpp"
#include "nginx/sites.hpp"
#include "session/link.hpp"
#include "session/transport.hpp"

namespace paperboy::nginx {

class Worker;

class Client : public session::Transport {
 public:
  ~Client() override;

  /// The server goes away.
  virtual void shut_down() = 0;

  /// A back end's order, where it is meant. Not from within a fan-out.
  virtual void obey(const hub::Order& order) = 0;

  /// Its token may have been revoked. Not from within a fan-out.
  virtual void recheck() = 0;

  // session::Transport
  void write(Bytes bytes) override;
  void write_shared(Bytes run) override;
  [[nodiscard]] std::size_t backlog() const override {
    return outbox_ ? outbox_->untaken() : 0;
  }
  void finish() override;
  void abort() override;
  [[nodiscard]] session::Warden* warden() override;
  [[nodiscard]] bool limit(const auth::Allowance& limits, Bytes name_space,
                           Bytes user) override;

  // For the worker, at the end of a turn.
  void settle() noexcept;
  virtual void close() noexcept = 0;  // may destroy it

 protected:
  /// REQUIRES: Worker::current().
  Client();

  /// For one that can't go on.
  void end_now() noexcept;

  // What the ways out differ in.

  [[nodiscard]] virtual session::Link& link() = 0;
  /// False: nothing can be sent yet.
  [[nodiscard]] virtual bool attached() const = 0;
  /// Sends what the way takes of the outbox.
  virtual Outbox::Sent send() = 0;
  /// Bytes that it hasn't taken.
  [[nodiscard]] virtual std::size_t waiting() const = 0;
  /// Copies what is left of shared runs.
  virtual void keep() = 0;
  /// Has itself called when there is room; false: the connection is lost.
  virtual bool await_room() = 0;
  /// All is sent after `finish`.
  virtual void end_sending() = 0;

  void queue();
  void flush();
  [[nodiscard]] bool dead() const { return dead_; }
  /// What waits is lost.
  void drop_outbox();
  void capture_log(ngx_http_request_t* r);
  void note_end() noexcept;
  [[nodiscard]] static Worker& worker();

  std::unique_ptr<Outbox> outbox_;  // null: nothing is to be sent

 private:
  void note_backlog(std::size_t bytes);
  void write_log();
  /// Lives with the cycle, which outlives its clients.
  [[nodiscard]] const LocationConf& conf();

  std::uint64_t since_ms_ : 48;  // one word with what follows
  bool queued_ : 1 = false;      // the worker will flush
  bool finishing_ : 1 = false;   // to be ended once all is sent
  bool dead_ : 1 = false;        // the worker will close
  bool logged_ : 1 = false;      // the worker has what was captured
};

}  // namespace paperboy::nginx
