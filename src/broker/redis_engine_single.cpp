#include "broker/redis_engine_single.hpp"

#include <utility>

#include "broker/redis_url.hpp"

namespace paperboy::broker::redis {

SingleEngine::SingleEngine(Network& network, const Options& options)
    : network_(network),
      options_(options),
      refusals_(network),
      backoff_(network, options),
      outage_(network),
      retry_(network.alarm([this] { open(); })),
      link_({network, options, refusals_}, Topics::everywhere, *this) {}

void SingleEngine::start(EngineEvents& events) {
  events_ = &events;
  open();
}

// --- connecting --------------------------------------------------------------

const Server& SingleEngine::server() const { return options_.servers[next_]; }

void SingleEngine::open() { link_.open(server()); }

void SingleEngine::on_link_up() {
  was_up_ = true;
  up_ms_ = network_.clock().monotonic_ms();
  outage_.tell_up(name_of(server()), link_.identity().replication_id);
  events_->on_up(0);
}

/// After each server was tried there is a pause, longer each time; so there is
/// after one that was there for a moment only.
void SingleEngine::on_link_lost(Bytes why) {
  const bool was_up = std::exchange(was_up_, false);
  outage_.tell_lost(name_of(server()), why, was_up);
  if (was_up) {
    const std::uint64_t ms = network_.clock().monotonic_ms() - up_ms_;
    if (ms > options_.max_retry_ms) backoff_.reset();
    next_ = 0;
  } else {
    next_ = (next_ + 1) % options_.servers.size();
  }
  retry_->set(next_ == 0 ? backoff_.next_ms() : 1);
  if (was_up) events_->on_down(0);
}

void SingleEngine::reconnect(Shard /*shard*/, Bytes why) { link_.close(why); }

Bytes SingleEngine::replication_id(Shard /*shard*/) const {
  return link_.is_up() ? Bytes(link_.identity().replication_id) : Bytes();
}

// --- commands and topics -----------------------------------------------------

void SingleEngine::call(Bucket /*bucket*/, Script script,
                        const std::vector<std::string>& keys,
                        const std::vector<std::string>& arguments,
                        ReplyHandler handler) {
  link_.call(script, keys, arguments, std::move(handler));
}

void SingleEngine::call_and_wait(Bucket /*bucket*/, Script script,
                                 const std::vector<std::string>& keys,
                                 const std::vector<std::string>& arguments,
                                 std::uint32_t replicas, std::uint64_t wait_ms,
                                 ReplyHandler handler) {
  link_.call_and_wait(
      {script, keys, arguments, replicas, wait_ms, std::move(handler)});
}

void SingleEngine::command(Bucket /*bucket*/,
                           const std::vector<std::string>& words,
                           ReplyHandler handler) {
  link_.command(words, std::move(handler));
}

void SingleEngine::listen(Bucket bucket, Bytes topic) {
  link_.listen(bucket, topic);
}

void SingleEngine::ignore(Bucket bucket, Bytes topic) {
  link_.ignore(bucket, topic);
}

}  // namespace paperboy::broker::redis
