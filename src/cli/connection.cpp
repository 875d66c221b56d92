#include "cli/connection.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

namespace paperboy::cli {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

Failure unreachable(const Url& url, const std::string& why) {
  return {Exit::network, url.authority() + ": " + why};
}

Outcome<Addresses> resolve(const Url& url) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int error =
      getaddrinfo(url.host.c_str(), url.port.c_str(), &hints, &list);
  if (error != 0) return unreachable(url, gai_strerror(error));
  return Addresses(list);
}

int left_ms(Deadline deadline) {
  if (!deadline) return -1;
  const auto left =
      std::chrono::ceil<milliseconds>(*deadline - steady_clock::now()).count();
  return static_cast<int>(std::clamp<long long>(left, 0, INT_MAX));
}

Step system_step(ssize_t result, Step::State wanted) {
  if (result > 0) {
    return {Step::State::done, static_cast<std::size_t>(result)};
  }
  if (result == 0) return {Step::State::ended};
  if (errno == EAGAIN || errno == EINTR) return {wanted};
  return {Step::State::failed};
}

// A peer that has vanished is noticed within a minute or so, though it says
// nothing by itself.
void keep_alive(int socket) {
  constexpr int kOn = 1;
  constexpr int kIdle = 30;
  constexpr int kInterval = 10;
  constexpr int kCount = 3;
  setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &kOn, sizeof kOn);
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &kIdle, sizeof kIdle);
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &kInterval, sizeof kInterval);
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPCNT, &kCount, sizeof kCount);
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &kOn, sizeof kOn);
}

}  // namespace

Failure too_late() {
  return {Exit::network,
          "the server did not answer in time; --timeout gives it longer"};
}

Deadline within(milliseconds time) { return steady_clock::now() + time; }

Connection::~Connection() {
  if (tls_) tls_->shut_down();
  close(socket_);
}

Outcome<std::unique_ptr<Connection>> Connection::open(const Url& url,
                                                      const TlsOptions& options,
                                                      Deadline deadline) {
  auto connection = open_socket(url, deadline);
  if (!connection || !url.tls) return connection;
  auto begun = (*connection)->begin_tls(url, options, deadline);
  if (!begun) return begun.error();
  return connection;
}

Outcome<std::unique_ptr<Connection>> Connection::open_socket(
    const Url& url, Deadline deadline) {
  const auto addresses = resolve(url);
  if (!addresses) return addresses.error();
  std::string why = "no address";
  for (const addrinfo* at = addresses->get(); at != nullptr; at = at->ai_next) {
    const int socket = ::socket(
        at->ai_family, at->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket < 0) {
      why = std::strerror(errno);
      continue;
    }
    std::unique_ptr<Connection> connection(new Connection(socket));
    if (connect(socket, at->ai_addr, at->ai_addrlen) != 0 &&
        errno != EINPROGRESS) {
      why = std::strerror(errno);
      continue;
    }
    const Event event =
        connection->wait(Step::State::wants_write, deadline, nullptr);
    if (event == Event::timeout) return too_late();
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error == 0) {
      keep_alive(socket);
      return connection;
    }
    why = std::strerror(error);
  }
  return unreachable(url, why);
}

Outcome<Done> Connection::begin_tls(const Url& url, const TlsOptions& options,
                                    Deadline deadline) {
  auto tls = Tls::make(socket_, url.host, options);
  if (!tls) return tls.error();
  while (true) {
    const Step step = (*tls)->handshake();
    if (step.state == Step::State::done) break;
    if (step.state == Step::State::failed || step.state == Step::State::ended) {
      return unreachable(url, (*tls)->failure_text());
    }
    if (wait(step.state, deadline, nullptr) == Event::timeout) {
      return too_late();
    }
  }
  tls_ = std::move(*tls);
  return Done{};
}

Step Connection::read_some(std::span<char> out) {
  if (tls_) return tls_->read(out);
  return system_step(recv(socket_, out.data(), out.size(), 0),
                     Step::State::wants_read);
}

Step Connection::write_some(Bytes in) {
  if (tls_) return tls_->write(in);
  return system_step(send(socket_, in.data(), in.size(), MSG_NOSIGNAL),
                     Step::State::wants_write);
}

Connection::Event Connection::wait(Step::State wanted, Deadline deadline,
                                   const Interrupt* interrupt) const {
  const short events = wanted == Step::State::wants_write ? POLLOUT : POLLIN;
  const int signals = interrupt != nullptr ? interrupt->descriptor() : -1;
  std::array<pollfd, 2> polled{pollfd{socket_, events, 0},
                               pollfd{signals, POLLIN, 0}};
  const int ready = poll(polled.data(), polled.size(), left_ms(deadline));
  if (ready == 0) return Event::timeout;
  if (polled[1].revents != 0) return Event::interrupt;
  return Event::data;
}

Outcome<Connection::Event> Connection::read(std::string& in, Deadline deadline,
                                            const Interrupt* interrupt) {
  std::array<char, 16384> piece;
  while (true) {
    if (interrupt != nullptr && interrupt->raised()) return Event::interrupt;
    const Step step = read_some(piece);
    if (step.state == Step::State::done) {
      in.append(piece.data(), step.size);
      return Event::data;
    }
    if (step.state == Step::State::ended) return Event::end;
    if (step.state == Step::State::failed) {
      return Failure{Exit::network, failure_text()};
    }
    const Event event = wait(step.state, deadline, interrupt);
    if (event != Event::data) return event;
  }
}

Outcome<Done> Connection::write(Bytes out, Deadline deadline) {
  while (!out.empty()) {
    const Step step = write_some(out);
    if (step.state == Step::State::done) {
      out.remove_prefix(step.size);
    } else if (step.state == Step::State::failed ||
               step.state == Step::State::ended) {
      return Failure{Exit::network, failure_text()};
    } else if (wait(step.state, deadline, nullptr) == Event::timeout) {
      return too_late();
    }
  }
  return Done{};
}

std::string Connection::failure_text() const {
  return tls_ ? tls_->failure_text() : std::strerror(errno);
}

}  // namespace paperboy::cli
