#include "nginx/wire.hpp"

#include <algorithm>
#include <array>

#include "nginx/peer_tls.hpp"
#include "nginx/worker.hpp"

namespace paperboy::nginx {

namespace {

// One read; shared by all wires of the worker, since none keeps it.
constexpr std::size_t kReadSize = 64UL * 1024;
alignas(64) std::array<char, kReadSize> input_buffer;

// A server that sends without end gets this many reads a turn.
constexpr int kReadsPerTurn = 8;

// Larger ones are given back once they are empty.
constexpr std::size_t kKeptBuffer = 64UL * 1024;

// Where nginx would write a line for every attempt: the reason is told to
// those who asked for the stream, who know what is news.
ngx_log_t* quiet_log() {
  static ngx_log_t log;
  return &log;
}

std::string system_text(ngx_err_t error) {
  std::array<u_char, NGX_MAX_ERROR_STR> text;
  const u_char* const end = ngx_strerror(error, text.data(), text.size());
  return {reinterpret_cast<const char*>(text.data()),
          reinterpret_cast<const char*>(end)};
}

int socket_error(const ngx_connection_t& c) {
  int error = 0;
  socklen_t length = sizeof error;
  if (getsockopt(c.fd, SOL_SOCKET, SO_ERROR, &error, &length) == -1) {
    return ngx_socket_errno;
  }
  return error;
}

/// What has just failed, with the system's reason where it has one.
std::string failed(const char* what) {
  const ngx_err_t error = ngx_socket_errno;
  std::string text = std::string(what) + " failed";
  return error == 0 ? text : text + ": " + system_text(error);
}

NginxWire& wire_of(const ngx_event_t& event) {
  return *static_cast<NginxWire*>(
      static_cast<ngx_connection_t*>(event.data)->data);
}

}  // namespace

/// Knows whether the wire is still there.
class NginxWire::Watch {
 public:
  explicit Watch(NginxWire& wire) : wire_(wire), outer_(wire.watch_) {
    wire.watch_ = this;
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch() {
    if (!gone_) wire_.watch_ = outer_;
  }

  [[nodiscard]] bool gone() const { return gone_; }

  static void tell_all(Watch* watch) {
    for (; watch != nullptr; watch = watch->outer_) watch->gone_ = true;
  }

 private:
  NginxWire& wire_;
  Watch* outer_;
  bool gone_ = false;
};

NginxWire::NginxWire(Worker& worker, const RedisConf& conf,
                     const broker::redis::Server& server,
                     broker::redis::WireEvents& events)
    : worker_(worker),
      conf_(conf),
      server_(server),
      events_(events),
      deadline_ms_(worker_clock().monotonic_ms() + conf.options.timeout_ms) {
  step_.handler = callback<on_step>;
  step_.data = this;
  step_.log = const_cast<ngx_log_t*>(ngx_cycle->log);
  step_.cancelable = 1;
  ngx_post_event(&step_, &ngx_posted_next_events);
}

NginxWire::~NginxWire() {
  Watch::tell_all(watch_);
  say_last();
  hang_up();
}

void NginxWire::send(Bytes bytes) {
  if (lost_) return;
  out_.append(bytes);
  // Where the kernel is full, it calls when it isn't.
  if (open_ && c_->write->ready != 0) {
    ngx_post_event(c_->write, &ngx_posted_next_events);
  }
}

void NginxWire::read(bool on) {
  reading_ = on;
  if (on && open_ && !lost_) {
    ngx_post_event(c_->read, &ngx_posted_next_events);
  }
}

// ---- from the name to the stream -------------------------------------------

void NginxWire::on_step(ngx_event_t* event) {
  NginxWire& self = *static_cast<NginxWire*>(event->data);
  const Turn turn(self.worker_);
  if (!std::exchange(self.begun_, true)) {
    self.begin();
  } else if (self.c_ != nullptr) {
    self.fail(self.c_->ssl != nullptr ? "no end of the TLS handshake in time"
                                      : "no connection in time");
  } else {
    self.lose("its name wasn't resolved in time");
  }
}

void NginxWire::begin() {
  give_time();
  const auto port = static_cast<in_port_t>(server_.port);
  if (server_.host.empty()) {
    if (const auto path = path_address(server_.path)) {
      addresses_.push_back(*path);
    }
  } else if (const auto literal = literal_address(server_.host)) {
    addresses_.push_back(literal->with_port(port));
  } else if (conf_.resolver != nullptr) {
    resolve();
    return;
  } else if (const auto found = conf_.addresses.find(server_.host);
             found != conf_.addresses.end()) {
    for (const Address& at : found->second) {
      addresses_.push_back(at.with_port(port));
    }
  }
  why_ = "there is no address, nor a resolver to ask for one";
  connect_next();
}

void NginxWire::resolve() {
  ngx_resolver_ctx_t name{};
  name.name = borrow(server_.host);
  ngx_resolver_ctx_t* const resolving =
      ngx_resolve_start(conf_.resolver, &name);
  if (resolving == nullptr || resolving == NGX_NO_RESOLVER) {
    lose("its name can't be resolved");
    return;
  }
  resolving->name = borrow(server_.host);
  resolving->handler = callback<on_resolved>;
  resolving->data = this;
  resolving->timeout = conf_.options.timeout_ms;
  resolving->cancelable = 1;
  resolving_ = resolving;
  const Watch watch(*this);
  // It may call at once; where it fails it doesn't.
  if (ngx_resolve_name(resolving) != NGX_OK && !watch.gone()) {
    resolving_ = nullptr;
    lose("its name can't be resolved");
  }
}

void NginxWire::on_resolved(ngx_resolver_ctx_t* resolving) {
  NginxWire& self = *static_cast<NginxWire*>(resolving->data);
  const Turn turn(self.worker_);
  self.take(*resolving);
  self.resolving_ = nullptr;
  ngx_resolve_name_done(resolving);
  self.connect_next();
}

void NginxWire::take(const ngx_resolver_ctx_t& resolved) {
  if (resolved.state != 0) {
    why_ = std::string("its name can't be resolved: ") +
           ngx_resolver_strerror(resolved.state);
    return;
  }
  const auto port = static_cast<in_port_t>(server_.port);
  for (ngx_uint_t i = 0; i < resolved.naddrs; ++i) {
    const auto& found = resolved.addrs[i];
    addresses_.push_back(
        Address::of(*found.sockaddr, found.socklen).with_port(port));
  }
}

void NginxWire::connect_next() {
  while (next_ < addresses_.size()) {
    if (try_next()) return;
  }
  lose(why_);
}

/// All addresses share the time that is left: a silent one doesn't hide the
/// others.
void NginxWire::give_time() {
  const std::uint64_t now = worker_clock().monotonic_ms();
  const std::uint64_t left = deadline_ms_ > now ? deadline_ms_ - now : 1;
  const std::size_t shares = std::max(addresses_.size() - next_, 1UL);
  if (step_.timer_set != 0) ngx_del_timer(&step_);
  ngx_add_timer(&step_, std::max<std::uint64_t>(left / shares, 1));
}

/// Whether it is under way; else nothing has come of it.
bool NginxWire::try_next() {
  give_time();
  Address& address = addresses_[next_++];
  if (conf_.allows && !conf_.allows(server_, address)) {
    note("it may not be connected to");
    return false;
  }
  std::string text = address.text();
  ngx_str_t name = borrow(text);
  ngx_peer_connection_t peer{};
  peer.sockaddr = &address.at.sockaddr;
  peer.socklen = address.length;
  peer.name = &name;
  peer.get = ngx_event_get_peer;
  peer.log = quiet_log();
  peer.log_error = NGX_ERROR_INFO;
  ngx_set_errno(0);
  const ngx_int_t status = ngx_event_connect_peer(&peer);
  if (peer.connection == nullptr) {
    const ngx_err_t error = ngx_socket_errno;
    note(error != 0 ? system_text(error)
                    : "no connection is free: worker_connections is too "
                      "small");
    return false;
  }
  adopt(peer.connection);
  if (status == NGX_OK) connected();
  return true;
}

/// channel: nginx neither closes it at the end of a shutdown's time nor
/// complains when it is left.
void NginxWire::adopt(ngx_connection_t* c) {
  c_ = c;
  c->data = this;
  c->log = const_cast<ngx_log_t*>(ngx_cycle->log);
  c->read->log = c->write->log = c->log;
  c->read->channel = c->write->channel = 1;
  set_handlers(callback<on_connected>, callback<on_connected>);
}

void NginxWire::set_handlers(ngx_event_handler_pt read,
                             ngx_event_handler_pt write) {
  c_->read->handler = read;
  c_->write->handler = write;
}

void NginxWire::on_connected(ngx_event_t* event) {
  NginxWire& self = wire_of(*event);
  const Turn turn(self.worker_);
  self.connected();
}

void NginxWire::connected() {
  if (const int error = socket_error(*c_); error != 0) {
    fail(system_text(error));
  } else if (!server_.host.empty() && ngx_tcp_nodelay(c_) != NGX_OK) {
    fail("TCP_NODELAY can't be set");
  } else if (server_.tls) {
    shake_hands();
  } else {
    open();
  }
}

void NginxWire::shake_hands() {
  const std::string& name =
      conf_.ssl_name.empty() ? server_.host : conf_.ssl_name;
  pool_ = ngx_create_pool(NGX_MIN_POOL_SIZE, c_->log);
  c_->pool = pool_;
  if (conf_.ssl == nullptr || pool_ == nullptr ||
      !begin_tls(*c_, conf_, name)) {
    fail("TLS can't be begun");
    return;
  }
  if (ngx_ssl_handshake(c_) == NGX_AGAIN) {
    c_->ssl->handler = callback<on_handshake>;
    return;
  }
  handshake_done();
}

void NginxWire::on_handshake(ngx_connection_t* c) {
  NginxWire& self = *static_cast<NginxWire*>(c->data);
  const Turn turn(self.worker_);
  self.handshake_done();
}

void NginxWire::handshake_done() {
  if (c_->ssl->handshaked == 0) {
    fail("the TLS handshake failed; the line above says why");
    return;
  }
  const std::string& name =
      conf_.ssl_name.empty() ? server_.host : conf_.ssl_name;
  const std::string wrong = check_peer(*c_, conf_, name);
  if (wrong.empty()) {
    open();
  } else {
    fail(wrong);
  }
}

void NginxWire::open() {
  if (step_.timer_set != 0) ngx_del_timer(&step_);
  set_handlers(callback<on_readable>, callback<on_writable>);
  open_ = true;
  const Watch watch(*this);
  events_.on_open();
  if (watch.gone()) return;
  if (!out_.empty()) {
    ngx_post_event(c_->write, &ngx_posted_next_events);
  }
  ngx_post_event(c_->read, &ngx_posted_next_events);
}

// ---- in and out ------------------------------------------------------------

void NginxWire::on_readable(ngx_event_t* event) {
  NginxWire& self = wire_of(*event);
  const Turn turn(self.worker_);
  const Watch watch(self);
  try {
    self.read_share();
  } catch (...) {
    // What was read is lost in the midst: it can't go on.
    log_exception();
    if (!watch.gone()) self.lose("out of memory");
  }
}

void NginxWire::read_share() {
  const Watch watch(*this);
  for (int i = 0; i < kReadsPerTurn && reading_; ++i) {
    ngx_set_errno(0);
    const ssize_t n =
        c_->recv(c_, reinterpret_cast<u_char*>(input_buffer.data()), kReadSize);
    if (n == NGX_AGAIN) {
      if (ngx_handle_read_event(c_->read, 0) != NGX_OK) lose("reading failed");
      return;
    }
    if (n <= 0) {
      lose(n == 0 ? "the server closed it" : failed("reading"));
      return;
    }
    events_.on_bytes({input_buffer.data(), static_cast<std::size_t>(n)});
    if (watch.gone() || lost_) return;
  }
  if (reading_) {
    ngx_post_event(c_->read, &ngx_posted_next_events);
  } else if (ngx_handle_read_event(c_->read, 0) != NGX_OK) {
    lose("reading failed");
  }
}

void NginxWire::on_writable(ngx_event_t* event) {
  NginxWire& self = wire_of(*event);
  const Turn turn(self.worker_);
  self.flush();
}

void NginxWire::flush() {
  while (sent_ < out_.size()) {
    ngx_set_errno(0);
    const ssize_t n =
        c_->send(c_, reinterpret_cast<u_char*>(out_.data()) + sent_,
                 out_.size() - sent_);
    if (n == NGX_ERROR) {
      lose(failed("writing"));
      return;
    }
    if (n <= 0) break;  // the kernel is full
    sent_ += static_cast<std::size_t>(n);
  }
  if (sent_ >= out_.size() / 2) {
    out_.erase(0, std::exchange(sent_, 0));
  }
  if (out_.empty()) {
    if (out_.capacity() > kKeptBuffer) out_.shrink_to_fit();
  } else if (ngx_handle_write_event(c_->write, 0) != NGX_OK) {
    lose("writing failed");
  }
}

// ---- the end ---------------------------------------------------------------

/// What a worker says when it ends goes as far as the kernel takes it.
void NginxWire::say_last() {
  while (open_ && !lost_ && sent_ < out_.size()) {
    const ssize_t n =
        c_->send(c_, reinterpret_cast<u_char*>(out_.data()) + sent_,
                 out_.size() - sent_);
    if (n <= 0) return;
    sent_ += static_cast<std::size_t>(n);
  }
}

void NginxWire::hang_up() {
  // nginx's macro is two statements.
  if (step_.posted != 0) {
    ngx_delete_posted_event(&step_);
  }
  if (step_.timer_set != 0) ngx_del_timer(&step_);
  if (resolving_ != nullptr) {
    ngx_resolve_name_done(std::exchange(resolving_, nullptr));
  }
  if (c_ != nullptr) {
    end_tls(*c_);
    ngx_close_connection(std::exchange(c_, nullptr));
  }
  if (pool_ != nullptr) ngx_destroy_pool(std::exchange(pool_, nullptr));
}

/// Of a name's addresses the log shows which one.
void NginxWire::note(const std::string& why) {
  const bool named = !server_.host.empty() && !literal_address(server_.host);
  why_ = named ? addresses_[next_ - 1].text() + ": " + why : why;
}

/// This address is none; the next.
void NginxWire::fail(const std::string& why) {
  note(why);
  hang_up();
  connect_next();
}

void NginxWire::lose(const std::string& reason) {
  if (std::exchange(lost_, true)) return;
  hang_up();
  // It may be ours, and we are gone when on_lost returns.
  events_.on_lost(std::string(reason));
}

}  // namespace paperboy::nginx
