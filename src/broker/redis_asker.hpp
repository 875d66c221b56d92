// Asks one of several servers what there is to know: each in turn until one
// gives an answer of use. For what Sentinels and the servers of a cluster know
// of others. The log says what can't be asked, and why, but not for each try.
//
// One a guide or engine, which owns it and outlives it.
#pragma once

#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "broker/redis_connection.hpp"

namespace paperboy::broker::redis {

class AskerEvents {
 public:
  AskerEvents() = default;
  AskerEvents(const AskerEvents&) = delete;
  AskerEvents& operator=(const AskerEvents&) = delete;
  virtual ~AskerEvents() = default;

  /// One for each question. What is wrong with them, and the next server is
  /// asked; empty: they are of use.
  virtual std::string on_answers(const Server& server,
                                 const std::vector<Reply>& answers) = 0;
  /// None of them has.
  virtual void on_nobody() = 0;
};

class Asker final : private ConnectionEvents {
 public:
  using Question = std::vector<std::string>;

  /// The options and the network must outlive it. `kind`: of server, for the
  /// log.
  Asker(Network& network, const Options& options, Bytes kind, Login login,
        std::vector<Question> questions, AskerEvents& events);

  /// In this order; where the first is the one that answered last, over the
  /// connection that there is. REQUIRES: !is_asking(), and a server.
  void ask(std::vector<Server> servers);

  [[nodiscard]] bool is_asking() const { return asking_; }

  /// Lets the connection go, in the next turn of the loop.
  void rest();

 private:
  void on_ready() override;
  bool on_push(const Reply& /*reply*/) override { return false; }
  void on_lost(Bytes why) override;

  void turn();
  void send();
  void on_answer(const Result<Reply>& answer);
  void fail(Bytes why);
  void complain(Bytes why);

  Network& network_;
  const Options& options_;
  const std::string kind_;
  const Login login_;
  const std::vector<Question> questions_;
  AskerEvents& events_;
  std::vector<Server> servers_;
  std::size_t next_ = 0;  // of these
  bool asking_ = false;
  bool resting_ = false;
  Server server_;  // of the connection
  std::vector<Reply> answers_;
  std::set<std::string> told_;  // by the log, since one was of use
  std::unique_ptr<Alarm> turn_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace paperboy::broker::redis
