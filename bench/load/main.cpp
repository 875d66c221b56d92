// A WebSocket load client for any server: the same frames, the same payload and
// the same arithmetic for each. `load --help` says what it can do.
#include <sys/resource.h>

#include <csignal>
#include <cstdio>

#include "modes.hpp"

namespace {

using namespace paperboy::load;

// What a thread needs beside its connections: epoll, what it inherited.
constexpr std::uint64_t kOtherFiles = 100;
// Half of the usual range of ports: the kernel gives the even ones first, and
// looks through all of them for each of the others.
constexpr std::uint64_t kConnectionsOfAnAddress = 12'000;

std::uint64_t files_of_a_thread() {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  return files.rlim_cur > 2 * kOtherFiles ? files.rlim_cur - kOtherFiles
                                          : kOtherFiles;
}

std::uint64_t divide_up(std::uint64_t number, std::uint64_t by) {
  return (number + by - 1) / by;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  Options options = parse_options(argc, argv);
  Subscribers& subscribers = options.subscribers;
  subscribers.threads =
      std::max(subscribers.threads,
               divide_up(subscribers.connections, files_of_a_thread()));
  if (subscribers.sources == 0) {
    subscribers.sources =
        divide_up(subscribers.connections, kConnectionsOfAnAddress);
  }
  Dice dice(now_ns());
  char id[9];
  std::snprintf(id, sizeof id, "%08x", dice.roll());
  options.run.id = id;
  options.key = make_key(dice);
  return run_mode(options);
}
