#include "broker/redis_engine_single.hpp"

#include <utility>

#include "broker/redis_url.hpp"

namespace paperboy::broker::redis {

SingleEngine::SingleEngine(Network& network, const Options& options)
    : SingleEngine(network, options, std::make_unique<ListGuide>(options)) {}

SingleEngine::SingleEngine(Network& network, const Options& options,
                           std::unique_ptr<Guide> guide)
    : network_(network),
      options_(options),
      refusals_(network),
      backoff_(network, options),
      outage_(network, options.cost),
      guide_(std::move(guide)),
      retry_(network.alarm([this] { guide_->find(); })),
      link_({network, options, refusals_}, Topics::everywhere, *this) {}

void SingleEngine::start(EngineEvents& events) {
  events_ = &events;
  guide_->start(*this);
  guide_->find();
}

// --- connecting --------------------------------------------------------------

void SingleEngine::on_named(const Server& server) {
  if (open_ && server == server_) return;
  if (open_) {
    moves_ = true;
    return link_.close(name_of(server) + " is to be used instead");
  }
  retry_->cancel();
  server_ = server;
  open_ = true;
  link_.open(server_);
}

void SingleEngine::on_unknown() {
  if (!open_) retry_->set(backoff_.next_ms());
}

void SingleEngine::on_link_up() {
  was_up_ = true;
  up_ms_ = network_.clock().monotonic_ms();
  guide_->note_up();
  outage_.tell_up(name_of(server_), link_.identity().replication_id);
  events_->on_up(0);
}

/// After each server was tried there is a pause, longer each time; so there is
/// after one that was there for a moment only.
void SingleEngine::on_link_lost(Bytes why) {
  open_ = false;
  const bool was_up = std::exchange(was_up_, false);
  outage_.tell_lost(name_of(server_), why, was_up);
  if (was_up) {
    const std::uint64_t ms = network_.clock().monotonic_ms() - up_ms_;
    if (ms > options_.max_retry_ms) backoff_.reset();
  }
  const bool moves = std::exchange(moves_, false);
  const bool pauses = guide_->note_lost(was_up || moves);
  retry_->set(pauses && !moves ? backoff_.next_ms() : 1);
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

void SingleEngine::command_and_block(Bucket /*bucket*/,
                                     const std::vector<std::string>& words,
                                     std::uint64_t block_ms,
                                     ReplyHandler handler) {
  link_.command_and_block(words, block_ms, std::move(handler));
}

void SingleEngine::listen(Bucket bucket, Bytes topic) {
  link_.listen(bucket, topic);
}

void SingleEngine::ignore(Bucket bucket, Bytes topic) {
  link_.ignore(bucket, topic);
}

}  // namespace paperboy::broker::redis
