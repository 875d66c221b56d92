// Who publishes: as fast as the answers, the window and the rate let it.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "histogram.hpp"
#include "options.hpp"

namespace paperboy::load {

class Publisher {
 public:
  /// Of all messages that have come to subscribers since the measuring began.
  using Received = std::function<std::uint64_t()>;

  /// Connects. Options must outlive it.
  Publisher(const Options& options, std::vector<std::uint64_t> audiences,
            Received received);
  ~Publisher();
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  /// Publishes so many, and returns when all have left and been answered, or
  /// when the time is over. Counts anew.
  void publish(std::uint64_t number);

  [[nodiscard]] std::uint64_t published() const { return published_; }
  /// Deliveries, by what listened when it was made.
  [[nodiscard]] std::uint64_t expected() const { return expected_; }
  /// Of the last message of each channel.
  [[nodiscard]] const std::vector<std::uint64_t>& sequences() const {
    return sequences_;
  }
  [[nodiscard]] const Histogram& answers() const { return answers_; }
  [[nodiscard]] std::uint64_t error_count() const { return error_count_; }
  [[nodiscard]] const std::map<std::string, std::uint64_t>& errors() const {
    return errors_;
  }

 private:
  struct Connection {
    int fd = -1;
    std::string out;
    std::string in;
    std::deque<std::uint64_t> asked_ns;  ///< what is unanswered
    bool writing = false;                ///< epoll waits for room
  };

  [[nodiscard]] std::uint64_t due(std::uint64_t number,
                                  std::uint64_t began_ns) const;
  bool may_publish(const Connection& connection, std::uint64_t channel) const;
  Connection& next_connection();
  void publish_one(Connection& connection);
  void append_message(std::string& out, const Values& values) const;
  [[nodiscard]] bool is_idle() const;
  void flush(Connection& connection);
  void wait(std::uint64_t ns);

  // publisher_dialogue.cpp
  void dial(Connection& connection);
  void upgrade(Connection& connection, const Values& values);
  void greet(Connection& connection, const Values& values);
  void await_frame(Connection& connection);
  static void write_all(const Connection& connection, Bytes bytes);
  static void read_some(Connection& connection);
  void read(Connection& connection);
  void take_answers(Connection& connection);
  bool take_http_answer(Connection& connection, Bytes& in);
  bool take_frame(Connection& connection, Bytes& in);
  void redial(Connection& connection);
  void answered(Connection& connection);
  void note_error(const std::string& kind);
  void watch(const Connection& connection, int operation) const;

  const Options& options_;
  const Publishing& how_;
  const Template body_;
  const std::vector<std::uint64_t> audiences_;
  const Received received_;
  std::vector<std::uint64_t> sequences_;  ///< of each channel
  std::vector<Connection> connections_;
  Dice dice_;
  int epoll_;
  std::uint64_t total_ = 0;

  std::uint64_t published_ = 0;
  std::uint64_t expected_ = 0;
  std::uint64_t error_count_ = 0;
  std::map<std::string, std::uint64_t> errors_;
  Histogram answers_;
};

}  // namespace paperboy::load
