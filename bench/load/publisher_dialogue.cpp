// How a publisher gets its connections, and what answers it.
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>

#include "publisher.hpp"

namespace paperboy::load {

namespace {

constexpr std::size_t kBuffer = 65536;
constexpr Bytes kLastChunk = "0\r\n\r\n";
constexpr time_t kPatience = 5;  // seconds for an answer before the load begins
constexpr std::uint64_t kFirst = 1'000'000;  // number of a publisher's hello

// An answer's size (RFC 9112 section 6), as a server of small answers sends it;
// 0: more is needed.
std::size_t answer_size(Bytes in) {
  const std::size_t end = in.find("\r\n\r\n");
  if (end == Bytes::npos) return 0;
  const Bytes head = in.substr(0, end + 2);
  if (field_of(head, "transfer-encoding").starts_with("chunked")) {
    const std::size_t at = in.find(kLastChunk, end + 4);
    return at == Bytes::npos ? 0 : at + kLastChunk.size();
  }
  const std::size_t size =
      end + 4 + number_of(field_of(head, "content-length"));
  return in.size() < size ? 0 : size;
}

}  // namespace

void Publisher::dial(Connection& connection) {
  connection.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int one = 1;
  setsockopt(connection.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  const timeval patience{kPatience, 0};
  setsockopt(connection.fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
             sizeof patience);
  if (connect(connection.fd, generic(how_.target.address),
              sizeof how_.target.address) != 0) {
    give_up(with_reason("the publisher can't connect"));
  }
  Values values;
  values.connection = values.number =
      kFirst + static_cast<std::uint64_t>(&connection - connections_.data());
  if (how_.scheme == Publishing::Scheme::websocket) {
    upgrade(connection, values);
  }
  greet(connection, values);
  fcntl(connection.fd, F_SETFL, fcntl(connection.fd, F_GETFL) | O_NONBLOCK);
  watch(connection, EPOLL_CTL_ADD);
}

void Publisher::upgrade(Connection& connection, const Values& values) {
  write_all(connection,
            upgrade_request(options_, how_.dialogue, how_.target.host, values));
  std::size_t end = Bytes::npos;
  while ((end = connection.in.find("\r\n\r\n")) == Bytes::npos) {
    read_some(connection);
  }
  const int status = status_of_upgrade(Bytes(connection.in).substr(0, end + 2),
                                       options_.key.accept);
  if (status != 101) {
    give_up("the publisher's upgrade: HTTP " + std::to_string(status));
  }
  connection.in.erase(0, end + 4);
  if (how_.dialogue.wait_first) await_frame(connection);
}

void Publisher::greet(Connection& connection, const Values& values) {
  for (const Hello& hello : how_.dialogue.hellos) {
    const std::string text = hello.fill(values, options_.run);
    if (how_.scheme != Publishing::Scheme::websocket) {
      write_all(connection, text);
      continue;
    }
    std::string frame;
    append_frame(frame, hello.opcode, text, dice_.roll());
    write_all(connection, frame);
    await_frame(connection);
  }
}

void Publisher::await_frame(Connection& connection) {
  while (true) {
    const auto head = frame_head(connection.in);
    if (head && connection.in.size() >= head->size + head->payload) {
      connection.in.erase(0, head->size + head->payload);
      return;
    }
    read_some(connection);
  }
}

void Publisher::write_all(const Connection& connection, Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t count =
        send(connection.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) give_up(with_reason("the publisher can't send"));
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

void Publisher::read_some(Connection& connection) {
  std::array<char, 4096> buffer;
  const ssize_t count = recv(connection.fd, buffer.data(), buffer.size(), 0);
  if (count < 0) give_up(with_reason("the publisher has no answer"));
  if (count == 0) give_up("the publisher's connection was closed");
  connection.in.append(buffer.data(), static_cast<std::size_t>(count));
}

void Publisher::watch(const Connection& connection, int operation) const {
  epoll_event event{};
  event.events = EPOLLIN;
  if (connection.writing) event.events |= EPOLLOUT;
  event.data.u64 =
      static_cast<std::uint64_t>(&connection - connections_.data());
  epoll_ctl(epoll_, operation, connection.fd, &event);
}

void Publisher::read(Connection& connection) {
  std::array<char, kBuffer> buffer;
  const ssize_t count = recv(connection.fd, buffer.data(), buffer.size(), 0);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) return redial(connection);
  connection.in.append(buffer.data(), static_cast<std::size_t>(count));
  take_answers(connection);
}

// A server may close a connection after so many requests.
void Publisher::redial(Connection& connection) {
  if (!connection.asked_ns.empty()) {
    note_error("closed with answers outstanding");
  }
  close(connection.fd);
  connection = Connection{};
  dial(connection);
}

void Publisher::take_answers(Connection& connection) {
  Bytes in = connection.in;
  switch (how_.scheme) {
    case Publishing::Scheme::http:
      while (take_http_answer(connection, in)) {
      }
      break;
    case Publishing::Scheme::websocket:
      while (take_frame(connection, in)) {
      }
      break;
    case Publishing::Scheme::tcp:
      in = {};
  }
  connection.in.erase(0, connection.in.size() - in.size());
}

bool Publisher::take_http_answer(Connection& connection, Bytes& in) {
  const std::size_t size = answer_size(in);
  if (size == 0) return false;
  const std::uint64_t status = number_of(in.substr(9, 3));
  if (status < 200 || status > 299) {
    note_error("HTTP " + std::to_string(status));
  }
  in.remove_prefix(size);
  answered(connection);
  return true;
}

bool Publisher::take_frame(Connection& connection, Bytes& in) {
  const auto head = frame_head(in);
  if (!head || in.size() < head->size + head->payload) return false;
  const Bytes payload = in.substr(head->size, head->payload);
  const Reply* reply = options_.reply_to(payload);
  if (head->opcode == kPing) {
    append_frame(connection.out, kPong, payload, dice_.roll());
  } else if (head->opcode == kClose) {
    note_error("the publisher was sent a close frame");
  } else if (reply != nullptr) {
    append_frame(connection.out, kText, reply->answer, dice_.roll());
  } else if (how_.acknowledged && head->opcode <= kBinary) {
    answered(connection);
  }
  in.remove_prefix(head->size + head->payload);
  return true;
}

void Publisher::answered(Connection& connection) {
  if (connection.asked_ns.empty()) return;
  answers_.add(now_ns() - connection.asked_ns.front());
  connection.asked_ns.pop_front();
}

void Publisher::note_error(const std::string& kind) {
  ++error_count_;
  ++errors_[kind];
}

}  // namespace paperboy::load
