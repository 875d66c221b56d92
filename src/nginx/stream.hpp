// A client over a held HTTP request, which nginx keeps: events of sse, over
// HTTP/1, 2 or 3.
//
// Made by the content handler in the request's pool, and gone with it. The
// session in it ends earlier, when the request is cleaned up.
#pragma once

#include "nginx/ngx.hpp"

#include <optional>

#include "nginx/client.hpp"
#include "nginx/flight.hpp"
#include "session/event_stream.hpp"

namespace paperboy::nginx {

class Stream final : public Client {
 public:
  /// One that lives and dies with `r`. REQUIRES: Worker::current(). Null: no
  /// memory.
  static Stream* make(ngx_http_request_t* r, const LocationConf& conf);

  Stream(ngx_http_request_t* r, const LocationConf& conf);
  ~Stream() override;

  /// Subscribes; an error refuses the request.
  Result<Done> open(const session::Admission& admission) {
    return events_->open(admission);
  }

  /// After the answer's header: the request is held from here on, for the
  /// handler to return NGX_DONE.
  void hold();

  // Client
  void shut_down() override;
  void obey(const hub::Order& order) override;
  void recheck() override;
  void abort() override;
  void close() noexcept override;

  /// Its client commands nothing.
  void note_refusal(const Error&) override {}
  void note(Bytes) override {}

 private:
  class Events final : public session::EventStream {
   public:
    Events(const Site& site, session::Transport& transport)
        : EventStream(site), transport_(transport) {}

   private:
    [[nodiscard]] session::Transport& transport() override {
      return transport_;
    }

    session::Transport& transport_;
  };

  [[nodiscard]] session::Link& link() override { return *events_; }
  [[nodiscard]] bool attached() const override { return held_; }
  Outbox::Sent send() override;
  [[nodiscard]] std::size_t waiting() const override;
  void keep() override;
  bool await_room() override;
  void end_sending() override;

  void on_room();
  void end();

  static void on_read(ngx_http_request_t* r);
  static void on_write(ngx_http_request_t* r);
  static void on_end(void* data);

  ngx_http_request_t* r_;
  Flight flight_;
  std::optional<Events> events_;  // none: it has ended
  bool held_ = false;
  bool complete_ = false;  // nothing follows what was sent
  bool closing_ = false;   // the request is being ended
};

}  // namespace paperboy::nginx
