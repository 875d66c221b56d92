// A real cluster for a test: masters, a replica of each, and what is done to
// it. It takes a second or two to be made.
#pragma once

#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "broker/redis_slots.hpp"
#include "redis_server.hpp"

namespace paperboy::broker::redis {

class ClusterServers {
 public:
  explicit ClusterServers(int masters = 3, int replicas_each = 0) {
    const int all = masters * (1 + replicas_each);
    for (int i = 0; i < all; ++i) add();
    for (int i = 0; i < masters; ++i) {
      (void)ask(
          i, {"CLUSTER", "ADDSLOTSRANGE", std::to_string(kSlots * i / masters),
              std::to_string(kSlots * (i + 1) / masters - 1)});
      (void)ask(i, {"CLUSTER", "SET-CONFIG-EPOCH", std::to_string(i + 1)});
    }
    for (int i = 1; i < all; ++i) meet(i);
    for (int i = masters; i < all; ++i) {
      await(i, "CLUSTER NODES of a master", [&] {
        return ask(i, {"CLUSTER", "REPLICATE", id(i % masters)}).text == "OK";
      });
    }
    for (int i = 0; i < all; ++i) {
      await(i, "a cluster that is well", [&] {
        return ask(i, {"CLUSTER", "INFO"}).text.find("cluster_state:ok") !=
                   std::string::npos &&
               count(nodes(i), "slave ") == masters * replicas_each &&
               count(nodes(i), "\n") == all &&
               (i < masters || ask(i, {"INFO", "replication"})
                                       .text.find("master_link_status:up") !=
                                   std::string::npos);
      });
    }
  }

  /// One that has no slot yet.
  int add() {
    servers_.push_back(std::make_unique<RedisServer>(std::vector<std::string>{
        "--cluster-enabled", "yes", "--cluster-node-timeout", "1500"}));
    return static_cast<int>(servers_.size()) - 1;
  }
  void meet(int server) {
    (void)ask(
        0, {"CLUSTER", "MEET", "127.0.0.1", std::to_string(at(server).port())});
    await(server, "servers that know each other", [&] {
      const std::string all = nodes(server);
      return count(all, "connected") >= 2 && count(all, "handshake") == 0;
    });
  }

  /// One more that has no slot, and is known to all.
  int join() {
    const int server = add();
    meet(server);
    const int all = static_cast<int>(servers_.size());
    for (int i = 0; i < all; ++i) {
      await(i, "a server that is new", [&] {
        return count(nodes(i), " connected") == all &&
               count(nodes(i), "handshake") == 0 &&
               ask(i, {"CLUSTER", "INFO"}).text.find("cluster_state:ok") !=
                   std::string::npos;
      });
    }
    return server;
  }

  [[nodiscard]] RedisServer& at(int server) {
    return *servers_[static_cast<std::size_t>(server)];
  }
  [[nodiscard]] std::vector<Server> addresses() const {
    std::vector<Server> all;
    for (const auto& server : servers_) all.push_back(server->address());
    return all;
  }
  Reply ask(int server, const std::vector<std::string>& words) {
    return at(server).ask(words);
  }
  std::string id(int server) { return ask(server, {"CLUSTER", "MYID"}).text; }
  std::string nodes(int server) {
    return ask(server, {"CLUSTER", "NODES"}).text;
  }

  /// The server that has the slot, as `asked` sees it.
  int owner(Slot slot, int asked = 0) {
    const auto topology =
        read_slots(ask(asked, {"CLUSTER", "SLOTS"}), at(asked).address());
    for (Bucket bucket = 0; topology && bucket < kBuckets; ++bucket) {
      if (slot_of(bucket) != slot) continue;
      for (int i = 0; i < static_cast<int>(servers_.size()); ++i) {
        if (topology->owners[bucket] == at(i).address()) return i;
      }
    }
    return -1;
  }

  // A slot that moves, step by step.
  void begin_move(Slot slot, int from, int to) {
    const std::string number = std::to_string(slot);
    must(to, {"CLUSTER", "SETSLOT", number, "IMPORTING", id(from)});
    must(from, {"CLUSTER", "SETSLOT", number, "MIGRATING", id(to)});
  }
  std::vector<std::string> keys(Slot slot, int server) {
    std::vector<std::string> keys;
    for (const Reply& key :
         ask(server, {"CLUSTER", "GETKEYSINSLOT", std::to_string(slot), "1000"})
             .items) {
      keys.push_back(key.text);
    }
    return keys;
  }
  void move_keys(const std::vector<std::string>& keys, int from, int to) {
    if (keys.empty()) return;
    std::vector<std::string> words = {
        "MIGRATE", "127.0.0.1", std::to_string(at(to).port()), "", "0",
        "5000",    "KEYS"};
    words.insert(words.end(), keys.begin(), keys.end());
    must(from, words);
  }
  /// The new owner hears of it first, so that the slot is never nobody's.
  void end_move(Slot slot, int from, int to) {
    std::vector<int> order{to, from};
    for (int i = 0; i < static_cast<int>(servers_.size()); ++i) {
      if (i != to && i != from) order.push_back(i);
    }
    for (const int server : order) {
      must(server,
           {"CLUSTER", "SETSLOT", std::to_string(slot), "NODE", id(to)});
    }
  }
  /// Waits until all know of what this one has taken over. A slot that moves
  /// on before may have no owner in the end.
  void agree_on(int owner) {
    const std::string epoch = epoch_of(owner, owner);
    for (int i = 0; i < static_cast<int>(servers_.size()); ++i) {
      await(i, "servers that agree",
            [&] { return epoch_of(owner, i) == epoch; });
    }
  }
  void move_slot(Slot slot, int from, int to) {
    begin_move(slot, from, to);
    move_keys(keys(slot, from), from, to);
    end_move(slot, from, to);
  }

 private:
  static int count(const std::string& text, const std::string& what) {
    int found = 0;
    for (std::size_t at = text.find(what); at != std::string::npos;
         at = text.find(what, at + 1)) {
      ++found;
    }
    return found;
  }

  /// ID ADDRESS FLAGS MASTER PING PONG EPOCH LINK SLOTS
  std::string epoch_of(int server, int asked) {
    const std::string all = nodes(asked);
    std::istringstream words(all.substr(all.find(id(server) + " 127")));
    std::string word;
    for (int i = 0; i < 7; ++i) words >> word;
    return word;
  }

  void must(int server, const std::vector<std::string>& words) {
    const Reply answer = ask(server, words);
    if (answer.text == "OK") return;
    std::fprintf(stderr, "%s %s: %s\n", words[0].c_str(), words[1].c_str(),
                 answer.text.c_str());
    std::abort();
  }

  template <typename F>
  void await(int server, const char* what, F holds) {
    for (int tries = 0; !holds(); ++tries) {
      if (tries == 1000) {
        std::fprintf(stderr, "in vain waited for %s:\n%s", what,
                     nodes(server).c_str());
        std::abort();
      }
      usleep(20'000);
    }
  }

  std::vector<std::unique_ptr<RedisServer>> servers_;
};

}  // namespace paperboy::broker::redis
