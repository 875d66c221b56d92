// A client's socket after its HTTP request has gone: nginx's connection slot,
// the WebSocket over it, and what waits to be sent. Made in the content handler
// before the 101 and handed to the event loop by `take_over`; destroys itself
// through the worker when it has ended.
#pragma once

#include "nginx/ngx.hpp"

#include <optional>

#include "base/slab.hpp"
#include "nginx/client.hpp"
#include "session/websocket.hpp"

namespace paperboy::nginx {

class Connection final : public Client,
                         public session::WebSocket,
                         public Slabbed<Connection> {
 public:
  /// REQUIRES: Worker::current().
  Connection(const Site& site, const std::optional<ws::DeflateParams>& deflate);

  /// After the 101 has left: takes the connection out of `r`, which ends, and
  /// begins to read. `this` is the event loop's from here on.
  void take_over(ngx_http_request_t* r);

  /// The one behind a connection slot; null: it isn't ours.
  static Connection* of(const ngx_connection_t& c);

  // Client
  void shut_down() override { WebSocket::shut_down(); }
  void obey(const hub::Order& order) override { WebSocket::obey(order); }
  void recheck() override { WebSocket::recheck(); }
  void close() noexcept override;

  // session::Transport
  [[nodiscard]] bool unread() const override;
  void note_refusal(const Error& why) override;
  void note(Bytes what) override;

 private:
  // session::Link
  [[nodiscard]] session::Transport& transport() override { return *this; }

  // Client
  [[nodiscard]] session::Link& link() override { return *this; }
  [[nodiscard]] bool attached() const override { return c_ != nullptr; }
  Outbox::Sent send() override;
  [[nodiscard]] std::size_t waiting() const override { return outbox_->size(); }
  void keep() override { outbox_->keep(); }
  bool await_room() override;
  void end_sending() override;

  [[nodiscard]] std::size_t unreceived() const;
  void note_departure() noexcept;
  void adopt(ngx_http_request_t* r);
  void release_pool();
  bool keep_tls();
  void end_tls() noexcept;
  void read_in_turn();
  void read();
  void feed(std::span<char> input);

  static void on_read(ngx_event_t* event);
  static void on_write(ngx_event_t* event);

  bool half_closed_ =
      false;  // first: in what WebSocket leaves of its last word
  ngx_connection_t* c_ = nullptr;  // null until taken over
};

}  // namespace paperboy::nginx
