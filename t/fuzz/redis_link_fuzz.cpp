// A link with a server that sends what it likes. Bytes of the input choose what
// happens next: calls, wishes, time, good answers, or the input's own bytes
// from the server. Whatever comes, each call is answered once, none during its
// own call, and once all is lost nothing holds the worker.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "../unit/broker/fake_network.hpp"
#include "broker/redis_link.hpp"

namespace {

using paperboy::Bytes;
using namespace paperboy::broker::redis;

void require(bool holds) {
  if (!holds) std::abort();
}

class Driver final : private LinkEvents {
 public:
  Driver() {
    options_.max_reply = 1024UL * 1024;
    options_.max_queue = 4096;
    link_.open(Server{"h"});
  }

  void run(Bytes input) {
    while (!input.empty()) {
      const auto what = static_cast<unsigned char>(input[0]);
      input.remove_prefix(1);
      step(what, input);
      if (lost_) reopen();
    }
    for (int i = 0; i < 10 && !lost_; ++i) {
      link_.close("the end");
      network_.pass(0);
    }
    network_.pass(0);
    require(lost_ && asked_ == answered_ && network_.holding() == 0);
  }

 private:
  void on_link_up() override {
    require(!up_ && !lost_);
    up_ = true;
  }
  void on_link_lost(Bytes) override {
    require(!lost_);
    lost_ = true;
    up_ = false;
  }
  void on_listening(Bytes) override { require(up_); }
  void on_message(Bytes, Bytes) override { require(up_); }
  void on_topic_lost(Bytes, Bytes) override { require(false); }

  void reopen() {
    network_.pass(0);
    lost_ = false;
    link_.open(Server{"h"});
  }

  FakeNetwork::Peer& peer(unsigned which) {
    return *network_.peers[network_.peers.size() - 1 -
                           which % network_.peers.size()];
  }

  ReplyHandler handler() {
    ++asked_;
    return [this](const paperboy::Result<Reply>&) {
      require(!calling_);
      ++answered_;
    };
  }

  void step(unsigned what, Bytes& input) {
    calling_ = what % 8 < 4;
    switch (what % 8) {
      case 0:
        link_.call(Script::signal, {"k"}, {"a"}, handler());
        link_.listen(1, "t");
        break;
      case 1:
        link_.command({"ECHO"}, handler());
        link_.ignore(1, "t");
        break;
      case 2:
        link_.call_and_wait(
            {Script::signal, {"k"}, {"a"}, what / 8 % 4, 10, handler()});
        break;
      case 3:
        link_.refresh_identity();
        link_.read(what / 8 % 4 != 0);
        break;
      case 4:
        network_.pass(what / 8 * 40);
        break;
      case 5:
        greet(peer(what / 8));
        break;
      case 6:
        say(peer(what / 64), what / 8 % 8);
        break;
      default:
        speak(peer(what / 64), input, what / 8 % 8 * 4);
    }
    calling_ = false;
  }

  /// Good answers to all that a login asks for.
  static void greet(FakeNetwork::Peer& peer) {
    peer.open();
    for (std::string sent = peer.take(); !sent.empty(); sent = peer.take()) {
      std::string answers;
      for (std::size_t at = 0; at < sent.size(); at = sent.find('\n', at) + 1) {
        answers += answer_to(Bytes(sent).substr(at));
      }
      peer.answer(answers);
    }
  }
  static std::string answer_to(Bytes command) {
    if (command.starts_with("CLIENT ")) return "+OK\r\n";
    if (command.starts_with("PING")) return "+PONG\r\n";
    if (command.starts_with("SCRIPT LOAD ")) return "+hash\r\n";
    if (!command.starts_with("INFO ")) return {};
    return "$69\r\nrole:master\r\nmaster_replid:" + std::string(40, 'a') +
           "\r\n\r\n";
  }

  static void say(FakeNetwork::Peer& peer, unsigned what) {
    static constexpr Bytes kSayings[] = {"+OK\r\n",
                                         ":1\r\n",
                                         "-NOSCRIPT\r\n",
                                         "-READONLY a replica\r\n",
                                         "*3\r\n+subscribe\r\n+t\r\n:1\r\n",
                                         "*3\r\n+unsubscribe\r\n+t\r\n:0\r\n",
                                         "*3\r\n+message\r\n+t\r\n+x\r\n",
                                         "*-1\r\n"};
    peer.answer(kSayings[what]);
  }

  static void speak(FakeNetwork::Peer& peer, Bytes& input, std::size_t size) {
    const Bytes bytes = input.substr(0, size);
    input.remove_prefix(bytes.size());
    peer.answer(bytes);
  }

  FakeNetwork network_;
  Options options_;
  Refusals refusals_{network_};
  bool up_ = false;
  bool lost_ = false;
  bool calling_ = false;
  std::size_t asked_ = 0;
  std::size_t answered_ = 0;
  Link link_{{network_, options_, refusals_}, Topics::everywhere, *this};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  Driver driver;
  driver.run({reinterpret_cast<const char*>(data), size});
  return 0;
}
