// A connection's way from nothing to open, and its end.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "worker.hpp"

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

namespace paperboy::load {

namespace {

// Edge-triggered: what a short read leaves empty needs no second one.
constexpr std::uint32_t kReading = EPOLLIN | EPOLLRDHUP | EPOLLET;
constexpr Bytes kNormalClosure("\x03\xe8", 2);

template <typename Value>
void set_option(int fd, int level, int name, const Value& value) {
  setsockopt(fd, level, name, &value, sizeof value);
}

}  // namespace

void Worker::start(std::size_t id) {
  Connection& connection = connections_[id];
  const std::uint32_t index = connection.index;
  const std::uint32_t channel = connection.channel;
  connection = Connection{};
  connection.index = index;
  connection.channel = channel;
  connection.state = State::connecting;
  connection.began_us =
      static_cast<std::uint32_t>((now_ns() - signals_.began_ns) / 1000);
  ++pending_;
  connection.fd =
      socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (connection.fd < 0) return fail(id, with_reason("socket"));
  set_option(connection.fd, IPPROTO_TCP, TCP_NODELAY, 1);
  if (options_.subscribers.receive_buffer != 0) {
    set_option(connection.fd, SOL_SOCKET, SO_RCVBUF,
               options_.subscribers.receive_buffer);
  }
  if (!bind_source(connection)) return fail(id, with_reason("bind"));
  const Endpoint& to = target(connection);
  if (connect(connection.fd, generic(to.address), sizeof to.address) != 0 &&
      errno != EINPROGRESS) {
    return fail(id, with_reason("connect"));
  }
  watch(id, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT);
}

// An address has ports for some 28,000 connections to one server.
bool Worker::bind_source(const Connection& connection) const {
  const Subscribers& subscribers = options_.subscribers;
  if (subscribers.sources < 2) return true;
  set_option(connection.fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  sockaddr_in source{};
  source.sin_family = AF_INET;
  source.sin_addr.s_addr =
      htonl(ntohl(inet_addr(subscribers.source_base.c_str())) +
            static_cast<std::uint32_t>(connection.index % subscribers.sources));
  return bind(connection.fd, generic(source), sizeof source) == 0;
}

const Endpoint& Worker::target(const Connection& connection) const {
  const auto& targets = options_.subscribers.targets;
  const std::uint64_t turn = connection.index / options_.subscribers.sources;
  return targets[turn % targets.size()];
}

Values Worker::values(const Connection& connection) const {
  Values values;
  values.connection = values.number = connection.index;
  values.channel = connection.channel;
  values.line = churn_ ? handshake_ : connection.index;
  return values;
}

void Worker::watch(std::size_t id, int operation, std::uint32_t events) const {
  epoll_event event{};
  event.data.u64 = id;
  event.events = events;
  epoll_ctl(epoll_, operation, connections_[id].fd, &event);
}

void Worker::connected(std::size_t id, std::uint32_t events) {
  Connection& connection = connections_[id];
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(connection.fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) {
    errno = error;
    return fail(id, with_reason("connect"));
  }
  if ((events & EPOLLOUT) == 0) return;
  connection.state = State::shaking;
  watch(id, EPOLL_CTL_MOD, kReading);
  shake_hands(id);
}

void Worker::shake_hands(std::size_t id) {
  const auto shaken = link_.shake_hands(id, connections_[id].fd);
  if (shaken == Link::Shaken::broken) fail(id, "TLS handshake");
  if (shaken == Link::Shaken::yes) ask_for_upgrade(id);
}

void Worker::ask_for_upgrade(std::size_t id) {
  Connection& connection = connections_[id];
  const std::string request =
      upgrade_request(options_, options_.subscribers.dialogue,
                      target(connection).host, values(connection));
  ++handshake_;
  connection.state = State::upgrading;
  if (!link_.write(id, connection.fd, request)) fail(id, "send the upgrade");
}

void Worker::say_next_hello(std::size_t id) {
  Connection& connection = connections_[id];
  const auto& hellos = options_.subscribers.dialogue.hellos;
  if (connection.hellos >= hellos.size()) return opened(id);
  const Hello& hello = hellos[connection.hellos];
  connection.state = State::greeting;
  if (!try_to_say(id, hello.opcode,
                  hello.fill(values(connection), options_.run))) {
    return fail(id, "send a hello");
  }
  const bool last = connection.hellos + 1U == hellos.size();
  if (!last || !options_.subscribers.last_unanswered) return;
  ++connection.hellos;
  opened(id);
}

void Worker::opened(std::size_t id) {
  Connection& connection = connections_[id];
  const auto now_us =
      static_cast<std::uint32_t>((now_ns() - signals_.began_ns) / 1000);
  tally_.connect.add(std::uint64_t{now_us - connection.began_us} * 1000);
  ++tally_.handshakes;
  ++tally_.opened;
  --pending_;
  connection.state = State::open;
  if (churn_) {
    shut(id);
    start(id);
    return;
  }
  ++open_;
  ++tried_;
}

bool Worker::try_to_say(std::size_t id, std::uint8_t opcode, Bytes payload) {
  std::string frame;
  append_frame(frame, opcode, payload, dice_.roll());
  return link_.write(id, connections_[id].fd, frame);
}

// What the socket can't take now will be missed by the server.
void Worker::say(std::size_t id, std::uint8_t opcode, Bytes payload) {
  if (!try_to_say(id, opcode, payload)) tally_.note_error("send an answer");
}

void Worker::fail(std::size_t id, const std::string& why) {
  if (connections_[id].state == State::open) {
    ++tally_.closed_by_server;
    --open_;
  } else {
    ++tally_.failed;
    ++tried_;
    --pending_;
  }
  tally_.note_error(why);
  release(id);
  if (churn_ && !signals_.stop) start(id);
}

void Worker::shut(std::size_t id) {
  const int fd = connections_[id].fd;
  if (options_.subscribers.close_politely) {
    say(id, kClose, kNormalClosure);
  } else {
    set_option(fd, SOL_SOCKET, SO_LINGER, linger{1, 0});
  }
  release(id);
}

void Worker::release(std::size_t id) {
  Connection& connection = connections_[id];
  link_.forget(id);
  inspector_.forget(id);
  fragments_.erase(id);
  if (connection.fd >= 0) close(connection.fd);
  connection.fd = -1;
  connection.kept.reset();
  connection.kept_size = 0;
  connection.state = State::closed;
}

}  // namespace paperboy::load
