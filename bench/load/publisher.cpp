#include "publisher.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace paperboy::load {

namespace {

constexpr std::size_t kMostUnsent = 65536;
constexpr std::uint64_t kMillisecond = 1'000'000;

}  // namespace

Publisher::Publisher(const Options& options,
                     std::vector<std::uint64_t> audiences, Received received)
    : options_(options),
      how_(options.publishing),
      body_(how_.body),
      audiences_(std::move(audiences)),
      received_(std::move(received)),
      sequences_(audiences_.size(), 0),
      connections_(how_.connections),
      dice_(now_ns()),
      epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  for (auto& connection : connections_) dial(connection);
}

Publisher::~Publisher() {
  for (const auto& connection : connections_) close(connection.fd);
  close(epoll_);
}

void Publisher::publish(std::uint64_t number) {
  published_ = expected_ = error_count_ = 0;
  errors_.clear();
  answers_.clear();
  const std::uint64_t began_ns = now_ns();
  while (seconds_since(began_ns) < options_.duration) {
    const std::uint64_t until = due(number, began_ns);
    while (published_ < until) {
      Connection& connection = next_connection();
      if (!may_publish(connection, total_ % audiences_.size())) break;
      publish_one(connection);
    }
    for (auto& connection : connections_) flush(connection);
    if (published_ >= number && is_idle()) return;
    std::uint64_t ns = kMillisecond;
    if (published_ < until) {
      ns = kMillisecond / 20;
    } else if (published_ < number) {
      const auto at =
          began_ns + static_cast<std::uint64_t>(
                         static_cast<double>(published_) / how_.rate * 1e9);
      const std::uint64_t now = now_ns();
      ns = at > now ? std::min(at - now, 20 * kMillisecond) : 0;
    }
    wait(ns);
  }
}

std::uint64_t Publisher::due(std::uint64_t number,
                             std::uint64_t began_ns) const {
  if (how_.rate <= 0) return number;
  const double due = seconds_since(began_ns) * how_.rate;
  return std::min(number, static_cast<std::uint64_t>(due) + 1);
}

Publisher::Connection& Publisher::next_connection() {
  const std::uint64_t turn =
      how_.unordered ? total_ : total_ % audiences_.size();
  return connections_[turn % connections_.size()];
}

bool Publisher::may_publish(const Connection& connection,
                            std::uint64_t channel) const {
  if (how_.is_answered() && connection.asked_ns.size() >= how_.depth) {
    return false;
  }
  if (connection.out.size() > kMostUnsent) return false;
  const std::uint64_t audience = audiences_[channel];
  return how_.window == 0 ||
         expected_ + audience <= received_() + how_.window * audience;
}

void Publisher::publish_one(Connection& connection) {
  Values values;
  values.channel = total_ % audiences_.size();
  values.sequence = ++sequences_[values.channel];
  values.number = values.connection = values.line = total_++;
  values.time = now_ns();
  append_message(connection.out, values);
  if (how_.is_answered()) connection.asked_ns.push_back(values.time);
  ++published_;
  expected_ += audiences_[values.channel];
}

void Publisher::append_message(std::string& out, const Values& values) const {
  std::string body = body_.fill(values, options_.run);
  if (how_.mqtt) {  // at most once
    const std::string topic = how_.mqtt_topic.fill(values, options_.run);
    body = mqtt_packet(0x30, mqtt_string(topic) + body);
  }
  if (how_.scheme == Publishing::Scheme::tcp) {
    out += body;
    return;
  }
  if (how_.scheme == Publishing::Scheme::websocket) {
    append_frame(out, how_.opcode, body,
                 static_cast<std::uint32_t>(values.time));
    return;
  }
  out += how_.method + ' ';
  how_.dialogue.path.append_to(out, values, options_.run);
  out += " HTTP/1.1\r\nHost: " + how_.target.host +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  for (const Template& header : how_.dialogue.headers) {
    header.append_to(out, values, options_.run);
    out += "\r\n";
  }
  out += "\r\n" + body;
}

bool Publisher::is_idle() const {
  return std::ranges::all_of(connections_, [](const Connection& connection) {
    return connection.out.empty() && connection.asked_ns.empty();
  });
}

void Publisher::flush(Connection& connection) {
  std::size_t sent = 0;
  while (sent < connection.out.size()) {
    const ssize_t count = send(connection.fd, connection.out.data() + sent,
                               connection.out.size() - sent, MSG_NOSIGNAL);
    if (count < 0) {
      if (errno != EAGAIN) note_error(with_reason("send"));
      break;
    }
    sent += static_cast<std::size_t>(count);
  }
  connection.out.erase(0, sent);
  if (connection.writing == !connection.out.empty()) return;
  connection.writing = !connection.writing;
  watch(connection, EPOLL_CTL_MOD);
}

void Publisher::wait(std::uint64_t ns) {
  std::array<epoll_event, 64> events;
  timespec time{};
  time.tv_nsec = static_cast<long>(ns);
  const int count = epoll_pwait2(
      epoll_, events.data(), static_cast<int>(events.size()), &time, nullptr);
  for (int i = 0; i < count; ++i) {
    const auto& event = events[static_cast<std::size_t>(i)];
    if ((event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0) continue;
    read(connections_[event.data.u64]);
  }
}

}  // namespace paperboy::load
