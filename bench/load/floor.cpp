// What the kernel alone charges for a fan-out, now and here: one process sends
// frames of 130 bytes to sockets on loopback, another one reads them.
//
//   load_floor SOCKETS ROUNDS [FRAMES_PER_SEND] [ROUNDS_PER_SECOND]
//              [WRITER_CORE] [READER_CORE]
//
// A round is one send(2) to each socket; without a rate, as fast as they are
// read. The clock starts when some rounds have warmed both processes up. They
// run on cores 0 and 1, on those that are given, or with "any" where the system
// puts them. The ratio of a server's time to this one's survives a noisy
// machine.
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

#include <algorithm>
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
constexpr std::uint64_t kLeastWarmUp = 5;  // rounds
constexpr double kPatience = 10;           // seconds, in which nothing is read
constexpr int kAnyCore = -1;

struct Plan {
  std::size_t sockets = 1000;
  std::uint64_t rounds = 100;
  std::size_t frames = 1;
  double rate = 0;
  int writer = 0;  ///< core
  int reader = 1;
};

/// What both processes see.
struct Shared {
  std::atomic<std::uint64_t> bytes;
};

/// What was sent in a stretch of time, and what that took.
struct Cost {
  std::uint64_t sent = 0;
  double seconds = 0;
  double writer_s = 0;
  double reader_s = 0;
};

double cpu_s(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) +
         static_cast<double>(time.tv_nsec) / 1e9;
}

// Where there is no such core, on whichever.
void pin(int core) {
  if (core == kAnyCore) return;
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
  while (true) {
    const int count = epoll_wait(epoll, events.data(), events.size(), -1);
    std::uint64_t bytes = 0;
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      const ssize_t size = recv(fd, buffer.data(), buffer.size(), 0);
      if (size > 0) bytes += static_cast<std::uint64_t>(size);
    }
    shared.bytes += bytes;
  }
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

// Until so much has been read. Ends the process where it isn't.
void await_reader(const Shared& shared, std::uint64_t bytes, double pause) {
  std::uint64_t last = shared.bytes;
  std::uint64_t since = now_ns();
  while (last < bytes) {
    sleep_s(pause);
    const std::uint64_t now = shared.bytes;
    if (now != last) {
      since = now_ns();
    } else if (seconds_since(since) > kPatience) {
      give_up("the reader reads no more");
    }
    last = now;
  }
}

// How many bytes were sent.
std::uint64_t write_all(const Plan& plan, const std::vector<int>& fds,
                        const Shared& shared) {
  const std::string message(kFrame * plan.frames, 'x');
  const std::uint64_t ahead = kRoundsAhead * fds.size() * message.size();
  const std::uint64_t began = now_ns();
  const std::uint64_t had = shared.bytes;
  std::uint64_t sent = 0;
  for (std::uint64_t round = 0; round < plan.rounds; ++round) {
    if (had + sent > ahead) {
      await_reader(shared, had + sent - ahead, 0.0001);
    }
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

// Until all of it has been read.
Cost measure(const Plan& plan, const std::vector<int>& fds,
             const Shared& shared, clockid_t reader) {
  const std::uint64_t had = shared.bytes;
  const std::uint64_t began_ns = now_ns();
  const double writer_s = cpu_s(CLOCK_PROCESS_CPUTIME_ID);
  const double reader_s = cpu_s(reader);
  Cost cost;
  cost.sent = write_all(plan, fds, shared);
  cost.writer_s = cpu_s(CLOCK_PROCESS_CPUTIME_ID) - writer_s;
  await_reader(shared, had + cost.sent, 0.0002);
  cost.seconds = seconds_since(began_ns);
  cost.reader_s = cpu_s(reader) - reader_s;
  return cost;
}

// As fast as it goes, whatever the rate is to be.
Plan warm_up_of(Plan plan) {
  plan.rounds = std::max(plan.rounds / 10, kLeastWarmUp);
  plan.rate = 0;
  return plan;
}

// Whatever is waited for.
void give_up_without_reader() {
  struct sigaction action {};
  action.sa_handler = [](int) {
    constexpr Bytes kWhy = "load: the reader has ended\n";
    [[maybe_unused]] const ssize_t written =
        write(STDERR_FILENO, kWhy.data(), kWhy.size());
    _exit(2);
  };
  action.sa_flags = SA_NOCLDSTOP;
  sigaction(SIGCHLD, &action, nullptr);
}

void print(const Plan& plan, const Cost& cost) {
  const double frames = static_cast<double>(cost.sent) / kFrame;
  Json json;
  json.add_text("mode", "floor");
  json.add("sockets", std::uint64_t{plan.sockets});
  json.add("frames_per_send", std::uint64_t{plan.frames});
  json.add("deliveries", cost.sent / kFrame);
  json.add("deliveries_per_s", frames / cost.seconds, 0);
  json.add("server_cpu_s_per_million", cost.writer_s / frames * 1e6, 4);
  json.add("server_cores", cost.writer_s / cost.seconds, 3);
  json.add("client_cpu_s_per_million", cost.reader_s / frames * 1e6, 4);
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
  const auto core = [count, words, word](int at, std::uint64_t otherwise) {
    if (at < count && Bytes(words[at]) == "any") return kAnyCore;
    return static_cast<int>(word(at, otherwise));
  };
  Plan plan;
  plan.sockets = word(1, 0);
  plan.rounds = word(2, 0);
  plan.frames = std::max<std::uint64_t>(word(3, 1), 1);
  plan.rate = static_cast<double>(word(4, 0));
  plan.writer = core(5, 0);
  plan.reader = core(6, 1);
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
  give_up_without_reader();
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pin(plan.reader);
    read_all(shared, address, plan.sockets);
  }
  pin(plan.writer);
  const auto fds = accept_all(listener, plan.sockets);
  clockid_t reader{};
  clock_getcpuclockid(child, &reader);
  measure(warm_up_of(plan), fds, shared, reader);
  print(plan, measure(plan, fds, shared, reader));
  std::signal(SIGCHLD, SIG_DFL);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}
