// An engine on a network over poll(), and what it told, for tests against real
// servers.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "broker/redis_engines.hpp"
#include "poll_network.hpp"
#include "redis_server.hpp"

namespace paperboy::broker::redis {

/// What an engine told.
struct Told final : EngineEvents {
  void on_up(Shard /*shard*/) override { ++ups; }
  void on_down(Shard /*shard*/) override { ++downs; }
  void on_moved(Bucket /*bucket*/) override {}
  void on_listening(Bytes topic) override { listening.emplace_back(topic); }
  void on_message(Bytes topic, Bytes message) override {
    messages.emplace_back(topic, message);
  }

  int ups = 0;
  int downs = 0;
  std::vector<std::string> listening;
  std::vector<std::pair<std::string, std::string>> messages;
};

/// Answers in the order in which they came; errors by their name.
using Answers = std::vector<std::string>;

inline std::string text_of(const Result<Reply>& answer) {
  if (!answer) return std::string(error_name(answer.error().code));
  if (answer->kind == Reply::Kind::integer) {
    return std::to_string(answer->integer);
  }
  if (answer->kind == Reply::Kind::array && !answer->items.empty()) {
    return answer->items[0].text;
  }
  return answer->text;
}

/// As directives might say it, but impatient.
inline Options options_for(std::vector<Server> servers) {
  Options options;
  options.servers = std::move(servers);
  options.timeout_ms = 1000;
  options.retry_ms = 10;
  options.max_retry_ms = 100;
  return options;
}

class Node {
 public:
  explicit Node(Options options)
      : options(std::move(options)),
        made(make_engine(network, this->options)),
        engine(*made) {
    engine.start(told);
  }
  explicit Node(const Server& server) : Node(options_for({server})) {}

  bool comes_up() {
    return network.turn_until([this] { return engine.is_up(0); });
  }
  bool goes_down() {
    return network.turn_until([this] { return told.downs == told.ups; });
  }

  /// Its answer goes to `answers`, later.
  void command(const std::vector<std::string>& words) {
    engine.command(0, words, handler());
  }
  /// Publishes to the topic by a script, which answers with an epoch.
  void signal(const std::string& topic, const std::string& data) {
    engine.call(0, Script::signal, kKeys, signal_words(topic, data), handler());
  }
  void signal_and_wait(const std::string& topic, std::uint32_t replicas,
                       std::uint64_t wait_ms) {
    engine.call_and_wait(0, Script::signal, kKeys, signal_words(topic, "x"),
                         replicas, wait_ms, handler());
  }
  bool answers_are(std::size_t number) {
    return network.turn_until([&] { return answers.size() == number; });
  }
  /// A command and its answer.
  std::string ask(const std::vector<std::string>& words) {
    answers.clear();
    command(words);
    return answers_are(1) ? answers[0] : "(none)";
  }

  bool listens_to(const std::string& topic) {
    engine.listen(0, topic);
    return network.turn_until([&] {
      return !told.listening.empty() && told.listening.back() == topic;
    });
  }

  [[nodiscard]] std::size_t lines_with(const std::string& text) const {
    std::size_t count = 0;
    for (const std::string& line : network.logs) {
      count += line.find(text) != std::string::npos ? 1 : 0;
    }
    return count;
  }

  const Options options;
  PollNetwork network;
  Told told;
  Answers answers;
  const std::unique_ptr<Engine> made;
  Engine& engine;

 private:
  inline static const std::vector<std::string> kKeys{"paperboy:b", "paperboy:m",
                                                     "paperboy:s"};

  ReplyHandler handler() {
    return [this](const Result<Reply>& answer) {
      answers.push_back(text_of(answer));
    };
  }
  static std::vector<std::string> signal_words(const std::string& topic,
                                               const std::string& data) {
    return {"0123456789abcdef",
            "0123456789abcdef",
            "fedcba9876543210",
            "60000",
            "PUBLISH",
            "",
            "",
            "0",
            topic,
            "t",
            "p",
            "",
            data};
  }
};

}  // namespace paperboy::broker::redis
