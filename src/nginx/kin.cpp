#include "nginx/kin.hpp"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>

namespace paperboy::nginx {

namespace {

constexpr const char* kVariable = "PAPERBOY";
constexpr std::uint64_t kMagic = 0x64726f62796f6270;  // "pboybord"
constexpr std::uint32_t kVersion = 1;

using Wakeups = std::array<int, kMaxSeats>;

/// Another version's is left alone, but for the words up to `successor`, which
/// keep their places.
struct Board {
  std::uint64_t magic;
  std::uint32_t version;
  std::atomic<std::uint32_t> successor;
  int zone;
  Wakeups wakeups;
};

constexpr Wakeups none() {
  Wakeups all{};
  all.fill(-1);
  return all;
}

Wakeups wakeups = none();
Board* own = nullptr;
int own_fd = -1;
int zone_fd = -1;

Board* map_board(int fd) {
  void* const page =
      ::mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  return page == MAP_FAILED ? nullptr : static_cast<Board*>(page);
}

/// The old master's, in a new binary.
struct Parent {
  int fd = -1;
  Board* board = nullptr;  // null: there is none, or it was let go

  [[nodiscard]] bool speaks_as_we() const {
    return board != nullptr && board->version == kVersion;
  }
};

Parent find_parent() {
  Parent parent;
  const char* const number = std::getenv(kVariable);
  if (ngx_inherited == 0 || number == nullptr) return parent;
  parent.fd = std::atoi(number);  // NOLINT(cert-err34-c): checked below
  struct stat about {};
  if (::fstat(parent.fd, &about) != 0 ||
      about.st_size < static_cast<off_t>(sizeof(Board))) {
    return parent;
  }
  parent.board = map_board(parent.fd);
  if (parent.board != nullptr && parent.board->magic != kMagic) {
    ::munmap(parent.board, sizeof(Board));
    parent.board = nullptr;
  }
  return parent;
}

Parent& parent() {
  static Parent parent = find_parent();
  return parent;
}

/// A number alone says little.
bool is_eventfd(int fd) {
  std::array<char, 64> target{};
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t n = ::readlink(link.c_str(), target.data(), target.size());
  return n > 0 && Bytes(target.data(), static_cast<std::size_t>(n)) ==
                      "anon_inode:[eventfd]";
}

void keep_over_exec(int fd) { ::fcntl(fd, F_SETFD, 0); }

void close_on_exec(int fd) {
  if (fd != -1) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

bool make_board() {
  own_fd = ::memfd_create("paperboy", 0);
  if (own_fd == -1 || ::ftruncate(own_fd, sizeof(Board)) != 0) return false;
  own = map_board(own_fd);
  if (own == nullptr) return false;
  own->magic = kMagic;
  own->version = kVersion;
  return true;
}

/// For ngx_exec_new_binary(), which passes on what the configuration names.
ngx_int_t name_board(ngx_cycle_t* cycle) {
  auto* const core = reinterpret_cast<ngx_core_conf_t*>(
      ngx_get_conf(cycle->conf_ctx, ngx_core_module));
  auto* const entry = static_cast<ngx_str_t*>(ngx_array_push(&core->env));
  if (entry == nullptr) return NGX_ERROR;
  const std::string text =
      std::string(kVariable) + "=" + std::to_string(own_fd) + '\0';
  *entry = copy(cycle->pool, text);
  // As nginx has it for `env NAME=VALUE`: the length is that of the name.
  entry->len = std::strlen(kVariable);
  return entry->data != nullptr ? NGX_OK : NGX_ERROR;
}

bool has_all_wakeups(const Board& board) {
  const auto& fds = board.wakeups;
  const auto* const end = std::find(fds.begin(), fds.end(), -1);
  return end != fds.begin() && std::all_of(fds.begin(), end, is_eventfd);
}

}  // namespace

int parents_zone() {
  const Parent& old = parent();
  if (!old.speaks_as_we() || !has_all_wakeups(*old.board)) return -1;
  return old.board->zone;
}

void settle(bool shared) {
  static bool settled = false;
  Parent& old = parent();
  if (std::exchange(settled, true) || old.board == nullptr) return;
  if (shared) {
    wakeups = old.board->wakeups;
  } else {
    old.board->successor = static_cast<std::uint32_t>(ngx_pid);
  }
  if (old.speaks_as_we()) {
    const std::uint64_t one = 1;
    for (const int fd : old.board->wakeups) {
      if (fd == -1 || shared || !is_eventfd(fd)) continue;
      // They look at the board then, and needn't wait for their next second.
      [[maybe_unused]] const auto n = ::write(fd, &one, sizeof one);
      ::close(fd);
    }
    if (old.board->zone != -1) ::close(old.board->zone);
  }
  ::close(old.fd);
  if (!shared) return;  // for take_leave()
  ::munmap(old.board, sizeof(Board));
  old.board = nullptr;
}

ngx_int_t hand_down(ngx_cycle_t* cycle, std::size_t seats, int zone) {
  for (int& fd : std::span(wakeups).first(seats)) {
    if (fd == -1) fd = eventfd(0, EFD_NONBLOCK);
    if (fd == -1) {
      ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno, "eventfd() failed");
      return NGX_ERROR;
    }
  }
  if (own == nullptr && !make_board()) {
    ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                  "memfd_create() failed");
    return NGX_ERROR;
  }
  zone_fd = zone;
  if (zone != -1) keep_over_exec(zone);
  own->zone = zone;
  own->wakeups = wakeups;
  return name_board(cycle);
}

void keep_from_exec() {
  close_on_exec(own_fd);
  close_on_exec(zone_fd);
  for (const int fd : wakeups) close_on_exec(fd);
}

void take_leave() {
  if (parent().board == nullptr) return;
  auto mine = static_cast<std::uint32_t>(ngx_pid);
  parent().board->successor.compare_exchange_strong(mine, 0);
}

int wakeup(std::size_t seat) {
  return seat < wakeups.size() ? wakeups[seat] : -1;
}

const std::atomic<std::uint32_t>* successor() {
  return own != nullptr ? &own->successor : nullptr;
}

void look_after_successor() {
  if (own == nullptr) return;
  std::uint32_t pid = own->successor.load();
  if (pid == 0 || ::kill(static_cast<pid_t>(pid), 0) == 0 || errno != ESRCH) {
    return;
  }
  own->successor.compare_exchange_strong(pid, 0);
}

}  // namespace paperboy::nginx
