#include "loop.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <vector>

namespace paperboy::fault {

namespace {

constexpr std::size_t kBuffer = 256 << 10;

std::vector<char>& shared_buffer() {
  static std::vector<char> buffer(kBuffer);
  return buffer;
}

epoll_event interest(Reader& reader, bool writing) {
  epoll_event event{};
  event.events = writing ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.ptr = &reader;
  return event;
}

}  // namespace

double now_s() {
  using std::chrono::steady_clock;
  return std::chrono::duration<double>(steady_clock::now().time_since_epoch())
      .count();
}

Loop::Loop() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) throw std::system_error(errno, std::generic_category());
}

Loop::~Loop() { ::close(epoll_); }

void Loop::add(int fd, Reader& reader, bool writing) {
  auto event = interest(reader, writing);
  epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
}

void Loop::change(int fd, Reader& reader, bool writing) {
  auto event = interest(reader, writing);
  epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event);
}

void Loop::remove(int fd) { epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr); }

void Loop::run_once(int milliseconds) {
  std::array<epoll_event, 512> events;
  const int number = epoll_wait(epoll_, events.data(),
                                static_cast<int>(events.size()), milliseconds);
  for (int i = 0; i < number; ++i) {
    static_cast<Reader*>(events[static_cast<std::size_t>(i)].data.ptr)
        ->on_ready();
  }
}

bool Socket::connect(std::uint16_t port, int receive_buffer) {
  close();
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) throw std::system_error(errno, std::generic_category());
  const int one = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (receive_buffer != 0) {
    setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer,
               sizeof receive_buffer);
  }
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int result =
      ::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  if (result != 0 && errno != EINPROGRESS) {
    close();
    return false;
  }
  loop_.add(fd_, reader_, true);
  return true;
}

void Socket::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  paused_ = ended_ = false;
  out_.clear();
  kept_.clear();
}

void Socket::end() {
  if (fd_ >= 0) shutdown(fd_, SHUT_WR);
}

void Socket::pause(bool paused) {
  if (fd_ < 0 || paused == paused_) return;
  paused_ = paused;
  if (paused) {
    loop_.remove(fd_);
  } else {
    loop_.add(fd_, reader_, !out_.empty());
  }
}

void Socket::write(Bytes bytes) {
  const bool waited = !out_.empty();
  out_ += bytes;
  if (!waited && flush() && !out_.empty() && !paused_) {
    loop_.change(fd_, reader_, true);
  }
}

bool Socket::flush() {
  while (!out_.empty()) {
    const ssize_t n = send(fd_, out_.data(), out_.size(), MSG_NOSIGNAL);
    if (n < 0) {
      if (errno == EAGAIN || errno == EINTR) return true;
      ended_ = true;
      return false;
    }
    taken_ += static_cast<std::uint64_t>(n);
    out_.erase(0, static_cast<std::size_t>(n));
  }
  if (!paused_) loop_.change(fd_, reader_, false);
  return true;
}

Bytes Socket::read() {
  auto& buffer = shared_buffer();
  const ssize_t n = recv(fd_, buffer.data(), buffer.size(), 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
    return {};
  }
  if (n <= 0) {
    ended_ = true;
    return {};
  }
  const Bytes fresh{buffer.data(), static_cast<std::size_t>(n)};
  if (kept_.empty()) return fresh;
  kept_ += fresh;
  return kept_;
}

void Socket::keep(Bytes rest) {
  if (rest.empty()) {
    if (!kept_.empty()) kept_ = std::string();
  } else if (kept_.empty()) {
    kept_ = rest;
  } else {
    kept_.erase(0, kept_.size() - rest.size());
  }
}

}  // namespace paperboy::fault
