// The least that could answer: what a server costs besides what the kernel
// charges. One thread, no checks, nothing kept.
//
//   GET  /anything?id=CHANNEL   upgraded, and subscribed to that channel
//   POST /anything?id=CHANNEL   the body goes to its subscribers; 204
//
//   load_server PORT [each] [parts] [FAULT=N]...
//
// Says which port it is, one of the system's choice for 0. What one wake-up
// brings leaves in one write for each subscriber; with `each`, a message leaves
// at once; with `parts`, in two fragments (RFC 6455 section 5.4). So that the
// load client can be tried, each Nth message of a channel is treated so:
//
//   drop    left out
//   double  sent twice
//   swap    sent after the next one
//   cross   sent to the next channel's subscribers instead
//   damage  a bit of its last third is another
//   short   its last byte is left out
//   long    it has one more
//   rsv1    its last frame says that it is compressed
//   rsv2    its last frame has that bit
//   late    the first N of a channel are left out
//   last    and all from its Nth on
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <iostream>
#include <map>
#include <memory>
#include <set>

#include "endpoint.hpp"
#include "wire.hpp"

namespace {

using namespace paperboy::load;

struct Faults {
  std::uint64_t drop = 0;
  std::uint64_t twice = 0;
  std::uint64_t swap = 0;
  std::uint64_t cross = 0;
  std::uint64_t damage = 0;
  std::uint64_t shorter = 0;
  std::uint64_t longer = 0;
  std::uint64_t rsv1 = 0;
  std::uint64_t rsv2 = 0;
  std::uint64_t late = 0;
  std::uint64_t last = 0;
};

struct FaultName {
  Bytes word;
  std::uint64_t Faults::*fault;
};
constexpr std::array<FaultName, 11> kFaults{{{"drop=", &Faults::drop},
                                             {"double=", &Faults::twice},
                                             {"swap=", &Faults::swap},
                                             {"cross=", &Faults::cross},
                                             {"damage=", &Faults::damage},
                                             {"short=", &Faults::shorter},
                                             {"long=", &Faults::longer},
                                             {"rsv1=", &Faults::rsv1},
                                             {"rsv2=", &Faults::rsv2},
                                             {"late=", &Faults::late},
                                             {"last=", &Faults::last}}};

struct Plan {
  bool each = false;
  bool parts = false;
  Faults faults;
};

struct Channel {
  std::vector<int> subscribers;
  std::string waiting;  ///< frames of this wake-up
  std::string held;     ///< one that is to come after the next
  std::uint64_t messages = 0;
};

struct Client {
  std::string in;   ///< part of a request
  std::string out;  ///< what the socket didn't take
  Channel* channel = nullptr;
};

class Server {
 public:
  Server(std::uint16_t port, Plan plan);
  [[noreturn]] void run();

 private:
  void accept_all();
  void read(int fd);
  void take_requests(int fd);
  std::size_t take_request(int fd, Bytes in);
  void subscribe(int fd, Bytes head, Channel& channel);
  void publish(const std::string& id, Bytes message);
  [[nodiscard]] std::string frame_of(Bytes message, std::uint64_t number) const;
  Channel& next_channel(const std::string& id);
  void flush_channels();
  void send_to(int fd, Bytes bytes);
  void send_rest(int fd);
  void watch(int fd, int operation, std::uint32_t events) const;
  void end(int fd);
  Client& of(int fd) { return *clients_[static_cast<std::size_t>(fd)]; }

  const Plan plan_;
  int epoll_;
  int listener_;
  std::vector<std::unique_ptr<Client>> clients_;  ///< by descriptor
  std::map<std::string, Channel, std::less<>> channels_;
  std::set<Channel*> dirty_;
  std::array<char, 1U << 18> buffer_{};
};

Server::Server(std::uint16_t port, Plan plan)
    : plan_(plan),
      epoll_(epoll_create1(0)),
      listener_(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)) {
  const int one = 1;
  setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener_, generic(address), sizeof address) != 0 ||
      listen(listener_, 65535) != 0) {
    give_up(with_reason("listen"));
  }
  socklen_t size = sizeof address;
  getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  std::cout << ntohs(address.sin_port) << std::endl;
  watch(listener_, EPOLL_CTL_ADD, EPOLLIN);
}

void Server::run() {
  std::array<epoll_event, 512> events;
  while (true) {
    const int count = epoll_wait(epoll_, events.data(), events.size(), -1);
    for (int i = 0; i < count; ++i) {
      const auto& event = events[static_cast<std::size_t>(i)];
      if (event.data.fd == listener_) {
        accept_all();
      } else {
        if ((event.events & EPOLLOUT) != 0) send_rest(event.data.fd);
        if ((event.events & ~EPOLLOUT) != 0U) read(event.data.fd);
      }
    }
    flush_channels();
  }
}

void Server::accept_all() {
  while (true) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK);
    if (fd < 0) return;
    const int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    const auto at = static_cast<std::size_t>(fd);
    if (clients_.size() <= at) clients_.resize(at + 1);
    clients_[at] = std::make_unique<Client>();
    watch(fd, EPOLL_CTL_ADD, EPOLLIN);
  }
}

void Server::watch(int fd, int operation, std::uint32_t events) const {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  epoll_ctl(epoll_, operation, fd, &event);
}

void Server::read(int fd) {
  Client& client = of(fd);
  const ssize_t count = recv(fd, buffer_.data(), buffer_.size(), 0);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) return end(fd);
  if (client.channel != nullptr) return;  // pongs
  client.in.append(buffer_.data(), static_cast<std::size_t>(count));
  take_requests(fd);
}

void Server::take_requests(int fd) {
  std::string& in = of(fd).in;
  std::size_t taken = 0;
  while (const std::size_t size = take_request(fd, Bytes(in).substr(taken))) {
    taken += size;
  }
  in.erase(0, taken);
  if (in.empty()) in.shrink_to_fit();
}

std::size_t Server::take_request(int fd, Bytes in) {
  const std::size_t end = in.find("\r\n\r\n");
  if (end == Bytes::npos) return 0;
  const Bytes head = in.substr(0, end + 2);
  const std::size_t size =
      end + 4 + number_of(field_of(head, "content-length"));
  if (in.size() < size) return 0;
  const std::size_t name = head.find("id=") + 3;
  const std::string id(head.substr(name, head.find(' ', name) - name));
  if (head.starts_with("POST ")) {
    publish(id, in.substr(end + 4, size - end - 4));
    send_to(fd, "HTTP/1.1 204 No Content\r\n\r\n");
  } else {
    subscribe(fd, head, channels_[id]);
  }
  return size;
}

void Server::subscribe(int fd, Bytes head, Channel& channel) {
  of(fd).channel = &channel;
  channel.subscribers.push_back(fd);
  send_to(fd,
          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
          "Connection: Upgrade\r\nSec-WebSocket-Accept: " +
              accept_for(field_of(head, "sec-websocket-key")) + "\r\n\r\n");
}

bool is_turn(std::uint64_t number, std::uint64_t each) {
  return each != 0 && number % each == 0;
}

void Server::publish(const std::string& id, Bytes message) {
  const Faults& faults = plan_.faults;
  Channel& channel = channels_[id];
  const std::uint64_t number = ++channel.messages;
  const std::string frame = frame_of(message, number);
  if (is_turn(number, faults.swap)) {
    channel.held = frame;
    return;
  }
  Channel& to = is_turn(number, faults.cross) ? next_channel(id) : channel;
  const bool left_out = is_turn(number, faults.drop) || number <= faults.late ||
                        (faults.last != 0 && number >= faults.last);
  if (!left_out) to.waiting += frame;
  if (is_turn(number, faults.twice)) to.waiting += frame;
  dirty_.insert(&to);
  if (!channel.held.empty()) {
    channel.waiting += channel.held;
    channel.held.clear();
    dirty_.insert(&channel);
  }
  if (plan_.each) flush_channels();
}

std::string Server::frame_of(Bytes message, std::uint64_t number) const {
  std::string more;
  if (is_turn(number, plan_.faults.shorter) && !message.empty()) {
    message.remove_suffix(1);
  }
  if (is_turn(number, plan_.faults.longer)) {
    message = more.append(message).append("x");
  }
  std::string frame;
  const std::size_t cut = plan_.parts ? message.size() / 2 : 0;
  if (plan_.parts) {
    append_server_frame(frame, kText, message.substr(0, cut), false);
  }
  const std::size_t last = frame.size();
  append_server_frame(frame, plan_.parts ? kContinuation : kText,
                      message.substr(cut));
  if (is_turn(number, plan_.faults.rsv1)) frame[last] |= 0x40;
  if (is_turn(number, plan_.faults.rsv2)) frame[last] |= 0x20;
  if (is_turn(number, plan_.faults.damage) && !message.empty()) {
    frame[frame.size() - std::max<std::size_t>(message.size() / 3, 1)] ^= 1;
  }
  return frame;
}

Channel& Server::next_channel(const std::string& id) {
  const auto next = channels_.upper_bound(id);
  return next == channels_.end() ? channels_.begin()->second : next->second;
}

void Server::flush_channels() {
  for (Channel* channel : dirty_) {
    for (const int fd : channel->subscribers) send_to(fd, channel->waiting);
    channel->waiting.clear();
  }
  dirty_.clear();
}

void Server::send_to(int fd, Bytes bytes) {
  std::string& out = of(fd).out;
  if (out.empty()) {
    const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
    if (bytes.empty()) return;
    watch(fd, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
  }
  out += bytes;
}

void Server::send_rest(int fd) {
  std::string& out = of(fd).out;
  const ssize_t sent = send(fd, out.data(), out.size(), MSG_NOSIGNAL);
  if (sent > 0) out.erase(0, static_cast<std::size_t>(sent));
  if (!out.empty()) return;
  out.shrink_to_fit();
  watch(fd, EPOLL_CTL_MOD, EPOLLIN);
}

void Server::end(int fd) {
  if (Channel* channel = of(fd).channel) std::erase(channel->subscribers, fd);
  clients_[static_cast<std::size_t>(fd)].reset();
  close(fd);
}

Plan plan_of(int count, char** words) {
  Plan plan;
  for (int i = 2; i < count; ++i) {
    const Bytes word = words[i];
    const auto* const fault = std::ranges::find_if(
        kFaults,
        [word](const FaultName& name) { return word.starts_with(name.word); });
    if (word == "each") {
      plan.each = true;
    } else if (word == "parts") {
      plan.parts = true;
    } else if (fault != kFaults.end()) {
      plan.faults.*fault->fault = number_of(word.substr(fault->word.size()));
    } else {
      give_up(std::string(word) + ": no such word");
    }
  }
  return plan;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) give_up("load_server PORT [each] [parts] [FAULT=N]...");
  std::signal(SIGPIPE, SIG_IGN);
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  const auto server = std::make_unique<Server>(
      static_cast<std::uint16_t>(number_of(argv[1])), plan_of(argc, argv));
  server->run();
}
