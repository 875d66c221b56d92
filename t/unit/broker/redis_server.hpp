// A real Redis for a test: on a free port, in a directory of its own, ended
// with the test.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "broker/redis_network.hpp"
#include "broker/redis_reply.hpp"

namespace paperboy::broker::redis {

class RedisServer {
 public:
  /// A Sentinel that watches the master "paper".
  struct Sentinel {
    int master;  // its port
    std::string quorum = "1";
    std::string more{};  // lines of its configuration
  };

  /// Begins it, and waits until it answers. `more`: words of its command line.
  explicit RedisServer(const std::vector<std::string>& more = {})
      : RedisServer(Made{}) {
    words_ = {"redis-server",
              "--port",
              std::to_string(port_),
              "--bind",
              "127.0.0.1",
              "--unixsocket",
              path(),
              "--dir",
              directory_,
              "--logfile",
              directory_ + "/log",
              "--save",
              "",
              "--enable-debug-command",
              "local",
              "--repl-diskless-sync-delay",
              "0"};
    words_.insert(words_.end(), more.begin(), more.end());
    start();
  }
  explicit RedisServer(const Sentinel& sentinel) : RedisServer(Made{}) {
    const std::string path = directory_ + "/conf";
    std::ofstream(path) << "port " << port_ << "\nbind 127.0.0.1\ndir "
                        << directory_ << "\nlogfile " << directory_
                        << "/log\nsentinel monitor paper 127.0.0.1 "
                        << sentinel.master << ' ' << sentinel.quorum
                        << "\nsentinel down-after-milliseconds paper 1000"
                        << "\nsentinel failover-timeout paper 3000\n"
                        << sentinel.more;
    words_ = {"redis-server", path, "--sentinel"};
    start();
  }
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;
  ~RedisServer() {
    kill();
    std::filesystem::remove_all(directory_);
  }

  [[nodiscard]] Server address() const { return {"127.0.0.1", port_}; }
  [[nodiscard]] Server socket() const { return {"", 0, path()}; }
  [[nodiscard]] std::string path() const { return directory_ + "/socket"; }
  [[nodiscard]] const std::string& directory() const { return directory_; }
  [[nodiscard]] int port() const { return port_; }

  /// Again where it was, with what it saved.
  void start() {
    spawn();
    for (int i = 0; i < 3000 && ask({"PING"}).text.empty(); ++i) {
      // Somebody may have its port for a moment.
      if (waitpid(pid_, nullptr, WNOHANG) == pid_) spawn();
      usleep(10'000);
    }
    if (ask({"PING"}).text.empty()) std::abort();
  }
  /// By SIGKILL.
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  /// It hangs: its sockets are there, and nothing answers.
  void stop() const { ::kill(pid_, SIGSTOP); }
  void go_on() const { ::kill(pid_, SIGCONT); }

  /// A command on a connection of its own; empty: there is no server.
  [[nodiscard]] Reply ask(const std::vector<std::string>& words) const {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to = loopback(port_);
    Reply reply;
    if (connect(socket, reinterpret_cast<sockaddr*>(&to), sizeof(to)) == 0) {
      reply = exchange(socket, words);
    }
    close(socket);
    return reply;
  }

  /// The bus of a cluster is at 10000 above.
  [[nodiscard]] static std::uint16_t free_port() {
    std::uint16_t port = any_port();
    while (port > 55'000) port = any_port();
    return port;
  }

 private:
  void spawn() {
    pid_ = fork();
    if (pid_ == 0) run();
  }

  struct Made {};
  explicit RedisServer(Made /*made*/) : port_(free_port()) {
    char name[] = "/tmp/redis-XXXXXX";
    directory_ = mkdtemp(name);
  }

  static std::uint16_t any_port() {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = loopback(0);
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof(address);
    if (bind(socket, any, size) != 0 || getsockname(socket, any, &size) != 0) {
      std::abort();
    }
    close(socket);
    return ntohs(address.sin_port);
  }

  static sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }

  static Reply exchange(int socket, const std::vector<std::string>& words) {
    std::string command;
    append_command(command, std::vector<Bytes>(words.begin(), words.end()));
    ReplyReader reader(64UL * 1024 * 1024);
    ssize_t size = send(socket, command.data(), command.size(), MSG_NOSIGNAL);
    while (size > 0) {
      std::string bytes(64UL * 1024, '\0');
      size = recv(socket, bytes.data(), bytes.size(), 0);
      if (size <= 0) break;
      bytes.resize(static_cast<std::size_t>(size));
      if (!reader.feed(bytes)) break;
      auto reply = reader.next();
      if (!reply) break;
      if (*reply) return **reply;
    }
    return {};
  }

  [[noreturn]] void run() {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    std::vector<char*> arguments;
    for (std::string& word : words_) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }

  std::vector<std::string> words_;  // the command
  std::uint16_t port_;
  std::string directory_;
  pid_t pid_ = 0;
};

}  // namespace paperboy::broker::redis
