// What is kept of channels, for those who ask: from the zone, where it has what
// is asked for, else from Redis, once for all who ask the same at a time. One a
// worker.
//
// Who comes back (`until`) has to wait where the channel isn't anchored in the
// zone yet; then the zone most often has all of it, since the relay has brought
// it along.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "broker/redis_store.hpp"
#include "broker/shm_zone.hpp"
#include "hub/broker.hpp"
#include "hub/rule.hpp"

namespace paperboy::broker::redis {

class Reader {
 public:
  /// All must outlive this.
  Reader(shm::Zone& zone, const hub::RuleSet& rules, const Options& options,
         Network& network, Store& store);
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  /// See hub::Broker. Errors: unavailable (Redis doesn't answer in time, or the
  /// channel isn't anchored in time).
  void history(Bytes channel, const HistoryQuery& query,
               const hub::HistoryReply& reply);

  /// The channel has been anchored: who waits for that is answered in the next
  /// turn.
  void on_anchor(Bytes channel);

 private:
  struct Request {
    HistoryQuery query;
    hub::HistoryReply reply;
    std::uint64_t until_ms = 0;  // it waits for the anchor; monotonic
  };
  using Requests = std::vector<Request>;

  /// One read of a channel, and who asked meanwhile.
  struct Flight {
    Requests aboard;
    Requests next;
  };

  [[nodiscard]] std::uint64_t now() const;
  void resume(Bytes channel, Request request);
  bool from_zone(Bytes channel, const Request& request);
  void join(Bytes channel, Request request);
  void take_off(const std::string& channel, Flight& flight);
  void landed(const std::string& channel, const Result<Window>& window);
  void read_newest(const std::string& channel, Requests requests);
  static void answer(const Requests& requests, const Result<Window>& window);
  void read_alone(Bytes channel, const Request& request);
  void look_at_waiting();

  shm::Zone& zone_;
  const hub::RuleSet& rules_;
  const Options& options_;
  Network& network_;
  Store& store_;
  std::unordered_map<std::string, Requests> waiting_;
  std::unordered_map<std::string, Flight> flights_;
  std::vector<std::string> anchored_;
  std::unique_ptr<Alarm> alarm_;
  std::shared_ptr<Reader*> self_ = std::make_shared<Reader*>(this);
};

}  // namespace paperboy::broker::redis
