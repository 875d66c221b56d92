// What the kernel alone charges for a fan-out, now and here: one process sends
// frames of 130 bytes to sockets on loopback, another one reads them.
//
//   load_floor SOCKETS ROUNDS [FRAMES_PER_SEND] [ROUNDS_PER_SECOND]
//              [WRITER_CORE] [READER_CORE]
//
// A round is one send(2) to each socket; without a rate, as fast as they are
// read. The ratio of a server's time to this one's survives a noisy machine.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <ctime>
#include <iostream>

#include "endpoint.hpp"
#include "json.hpp"

namespace {

using namespace paperboy::load;

constexpr std::size_t kFrame = 130;
constexpr std::uint64_t kRoundsAhead = 4;
constexpr double kPatience = 10;

struct Plan {
  std::size_t sockets = 1000;
  std::uint64_t rounds = 100;
  std::size_t frames = 1;
  double rate = 0;
  int writer = 0;
  int reader = 1;
};

/// What both processes see.
struct Shared {
  std::atomic<std::uint64_t> bytes;
  std::atomic<bool> stop;
  double reader_s;
};

double cpu_s() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) +
         static_cast<double>(time.tv_nsec) / 1e9;
}

// Where there is no such core, on whichever.
void pin(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(core), &set);
  sched_setaffinity(0, sizeof set, &set);
}

int connect_all(const sockaddr_in& to, std::size_t sockets) {
  const int epoll = epoll_create1(0);
  for (std::size_t i = 0; i < sockets; ++i) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, generic(to), sizeof to) != 0) {
      give_up(with_reason("connect"));
    }
    fcntl(fd, F_SETFL, O_NONBLOCK);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    event.data.fd = fd;
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  }
  return epoll;
}

[[noreturn]] void read_all(Shared& shared, const sockaddr_in& to,
                           std::size_t sockets) {
  static std::array<char, 1U << 18> buffer;
  const int epoll = connect_all(to, sockets);
  std::array<epoll_event, 1024> events;
  const double began = cpu_s();
  while (!shared.stop) {
    const int count = epoll_wait(epoll, events.data(), events.size(), 50);
    std::uint64_t bytes = 0;
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      const ssize_t size = recv(fd, buffer.data(), buffer.size(), 0);
      if (size > 0) bytes += static_cast<std::uint64_t>(size);
    }
    shared.bytes += bytes;
  }
  shared.reader_s = cpu_s() - began;
  std::_Exit(0);
}

int listen_somewhere(sockaddr_in& address) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic_address = reinterpret_cast<sockaddr*>(&address);
  if (bind(fd, generic_address, size) != 0 || listen(fd, 65535) != 0 ||
      getsockname(fd, generic_address, &size) != 0) {
    give_up(with_reason("listen"));
  }
  return fd;
}

std::vector<int> accept_all(int listener, std::size_t sockets) {
  std::vector<int> fds;
  while (fds.size() < sockets) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
    if (fd < 0) give_up(with_reason("accept"));
    const int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fds.push_back(fd);
  }
  return fds;
}

// How many bytes were sent.
std::uint64_t write_all(const Plan& plan, const std::vector<int>& fds,
                        const Shared& shared) {
  const std::string message(kFrame * plan.frames, 'x');
  const std::uint64_t ahead = kRoundsAhead * fds.size() * message.size();
  const std::uint64_t began = now_ns();
  std::uint64_t sent = 0;
  for (std::uint64_t round = 0; round < plan.rounds; ++round) {
    while (sent > shared.bytes + ahead) sleep_s(0.0001);
    if (plan.rate > 0) {
      const double due = static_cast<double>(round) / plan.rate;
      const double early = due - seconds_since(began);
      if (early > 0) sleep_s(early);
    }
    for (const int fd : fds) {
      const ssize_t size =
          send(fd, message.data(), message.size(), MSG_NOSIGNAL);
      if (size > 0) sent += static_cast<std::uint64_t>(size);
    }
  }
  return sent;
}

void print(const Plan& plan, std::uint64_t sent, double seconds,
           double writer_s, double reader_s) {
  const double frames = static_cast<double>(sent) / kFrame;
  Json json;
  json.add_text("mode", "floor");
  json.add("sockets", std::uint64_t{plan.sockets});
  json.add("frames_per_send", std::uint64_t{plan.frames});
  json.add("deliveries", sent / kFrame);
  json.add("deliveries_per_s", frames / seconds, 0);
  json.add("server_cpu_s_per_million", writer_s / frames * 1e6, 4);
  json.add("server_cores", writer_s / seconds, 3);
  json.add("client_cpu_s_per_million", reader_s / frames * 1e6, 4);
  std::cout << json.text() << std::endl;
}

Plan plan_of(int count, char** words) {
  if (count < 3) {
    give_up(
        "load_floor SOCKETS ROUNDS [FRAMES_PER_SEND] [ROUNDS_PER_SECOND] "
        "[WRITER_CORE] [READER_CORE]");
  }
  const auto word = [count, words](int at, std::uint64_t otherwise) {
    return at < count ? number_of(words[at]) : otherwise;
  };
  Plan plan;
  plan.sockets = word(1, 0);
  plan.rounds = word(2, 0);
  plan.frames = std::max<std::uint64_t>(word(3, 1), 1);
  plan.rate = static_cast<double>(word(4, 0));
  plan.writer = static_cast<int>(word(5, 0));
  plan.reader = static_cast<int>(word(6, 1));
  return plan;
}

}  // namespace

int main(int argc, char** argv) {
  const Plan plan = plan_of(argc, argv);
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  void* pages = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  auto& shared = *new (pages) Shared{};
  sockaddr_in address{};
  const int listener = listen_somewhere(address);
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pin(plan.reader);
    read_all(shared, address, plan.sockets);
  }
  pin(plan.writer);
  const auto fds = accept_all(listener, plan.sockets);
  sleep_s(0.2);
  const double began = cpu_s();
  const std::uint64_t began_ns = now_ns();
  const std::uint64_t sent = write_all(plan, fds, shared);
  const double writer_s = cpu_s() - began;
  while (shared.bytes < sent && seconds_since(began_ns) < kPatience) {
    sleep_s(0.0002);
  }
  const double seconds = seconds_since(began_ns);
  shared.stop = true;
  waitpid(child, nullptr, 0);
  print(plan, sent, seconds, writer_s, shared.reader_s);
}
