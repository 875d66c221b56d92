#include "broker/redis_detours.hpp"

#include <utility>

namespace paperboy::broker::redis {

namespace {

constexpr std::uint64_t kPauseMs = 20;

// Servers that may send it on at once; then it has to wait.
constexpr std::size_t kHops = 3;

constexpr Error kTooLong{ErrorCode::unavailable,
                         "the cluster of Redis is being changed, or is down; "
                         "try again"};

std::size_t bytes_of(const Detours::Call& call) {
  std::size_t bytes = 0;
  for (const std::string& word : call.keys) bytes += word.size();
  for (const std::string& word : call.words) bytes += word.size();
  return bytes;
}

/// Nothing was done, and soon it may be. A script that meets a key which has
/// left already stops before it has given out a position.
bool is_for_later(Bytes error) {
  return error.starts_with("TRYAGAIN") || error.starts_with("CLUSTERDOWN") ||
         error.find("access a non local key") != Bytes::npos;
}

}  // namespace

Detours::Detours(const Context& context, Map& map)
    : context_(context),
      map_(map),
      again_(context.network.alarm([this] { go_on(); }, true)) {}

// --- setting out -------------------------------------------------------------

/// Behind those of its bucket that wait.
void Detours::call(Call call) {
  const std::size_t bytes = bytes_of(call);
  const std::uint64_t now = context_.network.clock().monotonic_ms();
  const auto trip = std::make_shared<Trip>(
      Trip{std::move(call), now + context_.options.timeout_ms, bytes});
  if (trip->is_told()) trip->given = trip->call.words[0];
  ClusterNode* const node = map_.node_of(trip->call.bucket);
  if (waiting_.contains(trip->call.bucket)) return wait(trip);
  if (node != nullptr && node->link().is_up()) return send(trip, *node, false);
  if (may_wait(*trip)) return wait(trip);
  context_.refusals.refuse_down(std::move(trip->call.handler));
}

/// It was under way already, or its server is new.
bool Detours::may_wait(const Trip& trip) {
  const ClusterNode* const node = map_.node_of(trip.call.bucket);
  return trip.hops > 0 || (node != nullptr && node->is_hopeful());
}

void Detours::send(const Pointer& trip, ClusterNode& node, bool asking) {
  Call& call = trip->call;
  if (trip->is_told()) call.words[0] = node.link().identity().replication_id;
  const auto handler = [this, trip,
                        server = node.server()](const Result<Reply>& answer) {
    on_answer(trip, server, answer);
  };
  if (call.script && call.replicas > 0) {
    return node.link().call_and_wait({*call.script, call.keys, call.words,
                                      call.replicas, call.wait_ms, handler,
                                      asking});
  }
  if (asking) node.link().command({"ASKING"}, [](const auto&) {});
  if (call.script) {
    node.link().call(*call.script, call.keys, call.words, handler);
  } else {
    node.link().command(call.words, handler);
  }
}

// --- on the way --------------------------------------------------------------

void Detours::on_answer(const Pointer& trip, const Server& server,
                        const Result<Reply>& answer) {
  if (!answer || !answer->is_error()) return finish(*trip, answer);
  const Bytes error = answer->text;
  const bool moved = error.starts_with("MOVED ");
  const bool later = is_for_later(error);
  if (!moved && !later && !error.starts_with("ASK ")) {
    return finish(*trip, answer);
  }
  ++trip->hops;
  const auto to = later ? std::nullopt : read_redirection(error, server);
  if (to) {
    follow(trip, *to, moved);
  } else {
    wait(trip);
  }
}

/// At once, where nothing else of the bucket waits and it didn't go in circles.
void Detours::follow(const Pointer& trip, const Redirection& to, bool moved) {
  if (moved) map_.note_moved(to);
  ClusterNode* const node =
      moved ? map_.node_of(trip->call.bucket) : map_.node_to_ask(to.server);
  const bool goes = node != nullptr && node->link().is_up() &&
                    trip->hops <= kHops &&
                    !waiting_.contains(trip->call.bucket);
  if (goes) {
    send(trip, *node, !moved);
  } else {
    wait(trip);
  }
}

void Detours::wait(const Pointer& trip) {
  if (bytes_ + trip->bytes > context_.options.max_queue) {
    return context_.refusals.refuse_full(std::move(trip->call.handler));
  }
  bytes_ += trip->bytes;
  waiting_[trip->call.bucket].push_back(trip);
  if (!again_->is_set()) again_->set(kPauseMs);
}

void Detours::go_on() {
  const std::uint64_t now = context_.network.clock().monotonic_ms();
  bytes_ = 0;
  for (auto& [bucket, trips] : std::exchange(waiting_, {})) {
    ClusterNode* const node = map_.node_of(bucket);
    const bool up = node != nullptr && node->link().is_up();
    for (const Pointer& trip : trips) {
      if (now >= trip->deadline) {
        finish(*trip, kTooLong);
      } else if (up) {
        if (trip->hops > 0) trip->hops = 1;
        send(trip, *node, false);
      } else if (may_wait(*trip)) {
        wait(trip);
      } else {
        context_.refusals.refuse_down(std::move(trip->call.handler));
      }
    }
  }
}

// --- the end -----------------------------------------------------------------

void Detours::finish(Trip& trip, const Result<Reply>& answer) {
  const bool redirected = trip.call.script && trip.call.words[0] != trip.given;
  redirected_to_ = redirected ? Bytes(trip.call.words[0]) : Bytes();
  trip.call.handler(answer);
  redirected_to_ = {};
}

}  // namespace paperboy::broker::redis
