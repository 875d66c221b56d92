// A client's socket after its HTTP request has gone: nginx's connection slot,
// the WebSocket over it, and what waits to be sent. Made in the content handler
// before the 101 and handed to the event loop by `take_over`; destroys itself
// through the worker when it has ended.
#pragma once

#include "nginx/ngx.hpp"

#include <memory>
#include <optional>
#include <string>

#include "base/slab.hpp"
#include "nginx/conf.hpp"
#include "nginx/outbox.hpp"
#include "nginx/worker.hpp"
#include "session/transport.hpp"
#include "session/websocket.hpp"

namespace paperboy::nginx {

class Connection final : public session::Transport {
 public:
  /// REQUIRES: Worker::current(). `conf` lives with the cycle, which outlives
  /// its connections.
  explicit Connection(const LocationConf& conf,
                      const std::optional<ws::DeflateParams>& deflate);
  ~Connection() override;

  static void* operator new(std::size_t);
  static void operator delete(void* memory);

  /// Subscribes; an error refuses the upgrade.
  Result<Done> open(const session::Admission& admission) {
    return socket_.open(admission);
  }

  /// After the 101 has left: takes the connection out of `r`, which ends, and
  /// begins to read. `this` is the event loop's from here on.
  void take_over(ngx_http_request_t* r);

  /// The one behind a connection slot; null: it isn't ours.
  static Connection* of(const ngx_connection_t& c);

  void shut_down() { socket_.shut_down(); }

  // session::Transport
  void write(Bytes bytes) override;
  void write_shared(Bytes run) override;
  [[nodiscard]] std::size_t backlog() const override { return backlog_; }
  void finish() override;
  void abort() override;

  // For the worker, at the end of a turn.
  void settle() noexcept;
  void close() noexcept;

 private:
  void adopt(ngx_http_request_t* r);
  void release_pool();
  void read();
  void feed(std::span<char> input);
  void end_now() noexcept;
  void note_end() const noexcept;
  void write_log() const;
  void flush();
  void queue();
  void note_backlog();
  void half_close();

  static void on_read(ngx_event_t* event);
  static void on_write(ngx_event_t* event);

  const LocationConf& conf_;
  ngx_connection_t* c_ = nullptr;  // null until taken over
  session::WebSocket socket_;
  std::unique_ptr<Outbox> outbox_;          // null: nothing is to be sent
  std::unique_ptr<const std::string> log_;  // captured for the log line
  std::uint64_t since_ms_;
  std::size_t backlog_ = 0;  // bytes the kernel didn't take
  bool queued_ = false;      // the worker will flush
  bool finishing_ = false;   // to be half-closed once all is sent
  bool half_closed_ = false;
  bool dead_ = false;  // the worker will close
};

}  // namespace paperboy::nginx
