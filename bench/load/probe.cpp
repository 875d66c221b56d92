#include "probe.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

namespace paperboy::load {

namespace {

std::string proc(int pid, const std::string& file) {
  return read_file("/proc/" + std::to_string(pid) + '/' + file);
}

// Fields 14 and 15 of /proc/PID/stat, counted from the name's ")".
void add_ticks(const std::string& stat, CpuTime& time) {
  const std::size_t name = stat.rfind(')');
  if (name == std::string::npos) return;
  const auto words = split(Bytes(stat).substr(name + 1), ' ');
  if (words.size() < 13) return;
  const auto tick = static_cast<double>(sysconf(_SC_CLK_TCK));
  time.user += static_cast<double>(number_of(words[11])) / tick;
  time.system += static_cast<double>(number_of(words[12])) / tick;
}

double run_time(int pid) {
  double seconds = 0;
  std::error_code gone;
  const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
  for (const auto& task : std::filesystem::directory_iterator(tasks, gone)) {
    const auto ns = number_of(read_file(task.path() / "schedstat"));
    seconds += static_cast<double>(ns) / 1e9;
  }
  return seconds;
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) +
         static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

std::uint64_t proc_number(Bytes text, Bytes name) {
  while (!text.starts_with(name)) {
    const std::size_t end = text.find('\n');
    if (end == Bytes::npos) return 0;
    text.remove_prefix(end + 1);
  }
  return number_of(text.substr(name.size()));
}

void Servers::add_tree(int pid) {
  add(pid);
  const std::string children =
      proc(pid, "task/" + std::to_string(pid) + "/children");
  for (const auto& child : split(children, ' ')) {
    add_tree(static_cast<int>(number_of(child)));
  }
}

CpuTime Servers::cpu() const {
  CpuTime time;
  for (const int pid : pids_) {
    add_ticks(proc(pid, "stat"), time);
    time.run += run_time(pid);
  }
  return time;
}

Memory Servers::memory() const {
  Memory memory;
  for (const int pid : pids_) {
    const std::string text = proc(pid, "smaps_rollup");
    memory.rss += proc_number(text, "Rss:");
    memory.pss += proc_number(text, "Pss:");
    memory.own +=
        proc_number(text, "Pss_Anon:") + proc_number(text, "Pss_Shmem:");
  }
  return memory;
}

std::uint64_t Servers::threads() const {
  std::uint64_t threads = 0;
  for (const int pid : pids_) {
    threads += proc_number(proc(pid, "status"), "Threads:\t");
  }
  return threads;
}

double own_cpu() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

Machine machine() {
  Machine state;
  const std::string memory = read_file("/proc/meminfo");
  state.available = proc_number(memory, "MemFree:") +
                    proc_number(memory, "Buffers:") +
                    proc_number(memory, "Cached:");
  state.slab = proc_number(memory, "Slab:");
  state.sockets = proc_number(read_file("/proc/net/sockstat"), "TCP: inuse");
  state.client_pss = proc_number(read_file("/proc/self/smaps_rollup"), "Pss:");
  return state;
}

}  // namespace paperboy::load
