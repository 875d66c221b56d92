// A stream to a server, on nginx's loop. It is born idle: everything begins in
// the next turn, so that no event comes before connect() has returned.
//
// Whoever hears an event may destroy the wire; after each, whoever is in here
// asks his Watch whether it is still there.
#pragma once

#include "nginx/ngx.hpp"

#include <string>
#include <vector>

#include "broker/redis_network.hpp"
#include "nginx/redis_conf.hpp"

namespace paperboy::nginx {

class Worker;

class NginxWire final : public broker::redis::Wire {
 public:
  /// `worker`, `conf` and `events` must outlive it.
  NginxWire(Worker& worker, const RedisConf& conf,
            const broker::redis::Server& server,
            broker::redis::WireEvents& events);
  ~NginxWire() override;

  void send(Bytes bytes) override;
  [[nodiscard]] std::size_t unsent() const override {
    return lost_ ? 0 : out_.size() - sent_;
  }
  void read(bool on) override;

 private:
  class Watch;

  // Handlers of events of nginx.
  static void on_step(ngx_event_t* event);
  static void on_resolved(ngx_resolver_ctx_t* resolving);
  static void on_connected(ngx_event_t* event);
  static void on_handshake(ngx_connection_t* c);
  static void on_readable(ngx_event_t* event);
  static void on_writable(ngx_event_t* event);

  // From the name to the stream.
  void begin();
  void resolve();
  void take(const ngx_resolver_ctx_t& resolved);
  void connect_next();
  bool try_next();
  void give_time();
  void connected();
  void shake_hands();
  void handshake_done();
  void open();

  void read_share();
  void flush();
  void say_last();
  void adopt(ngx_connection_t* c);
  void set_handlers(ngx_event_handler_pt read, ngx_event_handler_pt write);
  void hang_up();
  void note(const std::string& why);
  void fail(const std::string& why);
  void lose(const std::string& reason);

  Worker& worker_;
  const RedisConf& conf_;
  const broker::redis::Server server_;
  broker::redis::WireEvents& events_;

  ngx_event_t step_{};  // begins; then: time is over
  std::uint64_t deadline_ms_;
  ngx_resolver_ctx_t* resolving_ = nullptr;
  std::vector<Address> addresses_;
  std::size_t next_ = 0;  // of addresses_
  std::string why_;       // the last one failed
  ngx_pool_t* pool_ = nullptr;
  ngx_connection_t* c_ = nullptr;
  std::string out_;
  std::size_t sent_ = 0;  // of out_
  Watch* watch_ = nullptr;
  bool begun_ = false;
  bool open_ = false;
  bool lost_ = false;
  bool reading_ = true;
};

}  // namespace paperboy::nginx
