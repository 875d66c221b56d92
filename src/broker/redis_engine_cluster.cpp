#include "broker/redis_engine_cluster.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "broker/redis_url.hpp"

namespace paperboy::broker::redis {

namespace {

constexpr std::uint64_t kRefreshMs = 30'000;
constexpr std::uint64_t kMissingMs = 500;  // while something is missing
constexpr std::uint64_t kPauseMs = 100;    // at least, between two

// Servers that may come and go while a worker lives.
constexpr std::size_t kMostNodes = 4096;

// A node without buckets is kept for so long when a moving slot was asked of
// it, or its last one has left: answers may be on their way.
constexpr std::uint64_t kNeededMs = 10'000;

}  // namespace

ClusterEngine::ClusterEngine(Network& network, const Options& options)
    : network_(network),
      options_(options),
      refusals_(network),
      known_(options.servers),
      next_(network.random() % options.servers.size()),
      backoff_(network, options),
      ask_(network.alarm([this] { ask(); })),
      asker_(network, options, "server of the cluster",
             {options.user, options.password, 0},
             {{"CLUSTER", "INFO"}, {"CLUSTER", "SLOTS"}}, *this),
      detours_({network, options, refusals_}, *this) {
  owners_.fill(kNobody);
}

void ClusterEngine::start(EngineEvents& events) {
  events_ = &events;
  ask();
}

// --- asking for the topology -------------------------------------------------

/// Soon; this server before others: it knows what is new.
void ClusterEngine::refresh(const std::optional<Server>& first) {
  if (first) first_ = first;
  if (asker_.is_asking()) {
    again_ = true;
    return;
  }
  const std::uint64_t now = network_.clock().monotonic_ms();
  const std::uint64_t due = std::max(now, asked_ms_ + kPauseMs);
  ask_->set(due - now);
}

/// Not the same one each time: it may be cut off from the others.
void ClusterEngine::ask() {
  if (asker_.is_asking()) return;
  asked_ms_ = network_.clock().monotonic_ms();
  std::vector<Server> servers;
  const auto add = [&servers](const Server& server) {
    if (std::ranges::find(servers, server) == servers.end()) {
      servers.push_back(server);
    }
  };
  if (first_) add(*std::exchange(first_, std::nullopt));
  for (std::size_t i = 0; i < known_.size(); ++i) {
    add(known_[(next_ + i) % known_.size()]);
  }
  ++next_;
  for (const Server& server : options_.servers) add(server);
  asker_.ask(std::move(servers));
}

/// One that says that the cluster is down may be the one that is cut off.
std::string ClusterEngine::on_answers(const Server& server,
                                      const std::vector<Reply>& answers) {
  for (const Reply& answer : answers) {
    if (answer.is_error()) return "it answers " + printable(answer.text);
  }
  if (answers[0].text.find("cluster_state:ok") == std::string::npos) {
    return "it says that the cluster is down";
  }
  const auto topology = read_slots(answers[1], server);
  if (!topology || topology->servers.empty()) return "it knows of no slot";
  asker_.rest();
  backoff_.reset();
  apply(*topology);
  listen_anew();
  ask_->set(is_whole() ? kRefreshMs : kMissingMs);
  if (std::exchange(again_, false)) refresh(std::nullopt);
  return {};
}

void ClusterEngine::on_nobody() {
  again_ = false;
  ask_->set(backoff_.next_ms());
}

bool ClusterEngine::is_whole() const {
  return std::ranges::all_of(owners_,
                             [this](Shard shard) { return is_up(shard); });
}

// --- the topology ------------------------------------------------------------

ClusterNode* ClusterEngine::find(Shard shard) const {
  return shard < nodes_.size() ? nodes_[shard].get() : nullptr;
}

/// Null: there have been too many.
ClusterNode* ClusterEngine::node_at(const Server& server) {
  const auto found = std::ranges::find_if(
      nodes_, [&](const auto& node) { return node->server() == server; });
  if (found != nodes_.end()) return found->get();
  if (nodes_.size() == kMostNodes) {
    if (!std::exchange(full_, true)) {
      network_.log(LogLevel::error,
                   "the cluster has named " + std::to_string(kMostNodes) +
                       " servers by now; others are heeded after a reload");
    }
    return nullptr;
  }
  ClusterNodeEvents& events = *this;
  nodes_.push_back(std::make_unique<ClusterNode>(
      Context{network_, options_, refusals_}, static_cast<Shard>(nodes_.size()),
      server, events));
  if (!reading_) nodes_.back()->link().read(false);
  return nodes_.back().get();
}

void ClusterEngine::apply(const Topology& topology) {
  known_ = topology.servers;
  Moves moves;
  for (Bucket bucket = 0; bucket < kBuckets; ++bucket) {
    const auto& owner = topology.owners[bucket];
    if (!owner) continue;
    const ClusterNode* const node = node_at(*owner);
    if (node == nullptr || node->number() == owners_[bucket]) continue;
    moves.emplace_back(bucket, node->number());
  }
  move(moves);
}

/// Buckets go before it is told, so that what is asked meanwhile goes to where
/// they are.
void ClusterEngine::move(const Moves& moves) {
  for (const auto& [bucket, shard] : moves) {
    ClusterNode* const before = find(owners_[bucket]);
    if (before != nullptr) --before->buckets;
    ++find(shard)->buckets;
    owners_[bucket] = shard;
    unheard_.reset(bucket);
  }
  std::vector<Shard> down;
  for (const auto& node : nodes_) {
    if (node->buckets > 0 || !node->told_up) continue;
    node->told_up = false;
    node->needed_ms = network_.clock().monotonic_ms();
    down.push_back(node->number());
  }
  if (!moves.empty()) log_moves(moves.size());
  for (const auto& [bucket, shard] : moves) events_->on_moved(bucket);
  for (const Shard shard : down) events_->on_down(shard);
  come_and_go();
}

/// Connects to nodes that have buckets, and lets others go.
void ClusterEngine::come_and_go() {
  const std::uint64_t now = network_.clock().monotonic_ms();
  for (const auto& node : nodes_) {
    const bool needed =
        node->needed_ms != 0 && now - node->needed_ms < kNeededMs;
    if (node->buckets == 0 && !needed) {
      node->leave();
      continue;
    }
    node->want();
    // It was there for a slot that was on its way to it.
    if (node->link().is_up()) on_node_up(*node);
  }
}

/// Where a server let go of topics and has their bucket still.
void ClusterEngine::listen_anew() {
  const auto unheard = std::exchange(unheard_, {});
  for (Bucket bucket = 0; bucket < kBuckets; ++bucket) {
    if (unheard[bucket]) events_->on_moved(bucket);
  }
}

void ClusterEngine::log_moves(std::size_t moved) const {
  std::string line = "redis: " + std::to_string(moved) + " of " +
                     std::to_string(kBuckets) +
                     " parts have another server of the cluster: now";
  for (const auto& node : nodes_) {
    if (node->buckets == 0) continue;
    line += ' ' + name_of(node->server()) + " has " +
            std::to_string(node->buckets) + ',';
  }
  line.pop_back();
  network_.log(LogLevel::info, line);
}

// --- nodes -------------------------------------------------------------------

void ClusterEngine::on_node_up(ClusterNode& node) {
  if (node.buckets > 0 && !std::exchange(node.told_up, true)) {
    events_->on_up(node.number());
  }
  detours_.go_on();
}

void ClusterEngine::on_node_lost(ClusterNode& node) {
  if (std::exchange(node.told_up, false)) events_->on_down(node.number());
  if (node.buckets > 0) {
    refresh(std::nullopt);
  } else {
    node.leave();
  }
}

/// Its slot has left, or is leaving, or the server can't tell now: it is
/// listened to anew when that is known.
void ClusterEngine::on_topic_lost(ClusterNode& node, Bytes topic,
                                  Bytes /*why*/) {
  const auto bucket = bucket_of_topic(topic);
  if (!bucket || find(owners_[*bucket]) != &node) return;
  unheard_.set(*bucket);
  refresh(node.server());
}

/// The number in its hash tag.
std::optional<Bucket> ClusterEngine::bucket_of_topic(Bytes topic) const {
  if (!topic.starts_with(options_.prefix + '{')) return std::nullopt;
  const Bytes rest = topic.substr(options_.prefix.size() + 1);
  const char* const end = rest.data() + rest.size();
  Bucket bucket = 0;
  const auto [at, error] = std::from_chars(rest.data(), end, bucket);
  if (error != std::errc() || at == end || *at != '}' || bucket >= kBuckets) {
    return std::nullopt;
  }
  return bucket;
}

ClusterNode* ClusterEngine::node_of(Bucket bucket) {
  return find(owners_[bucket]);
}

void ClusterEngine::note_moved(const Redirection& to) {
  const ClusterNode* const node = node_at(to.server);
  if (node == nullptr) return;
  const Shard shard = node->number();
  Moves moves;
  for (Bucket bucket = 0; bucket < kBuckets; ++bucket) {
    if (slot_of(bucket) == to.slot && owners_[bucket] != shard) {
      moves.emplace_back(bucket, shard);
    }
  }
  if (moves.empty()) return;
  move(moves);
  refresh(to.server);
}

ClusterNode* ClusterEngine::node_to_ask(const Server& server) {
  ClusterNode* const node = node_at(server);
  if (node == nullptr) return nullptr;
  node->needed_ms = network_.clock().monotonic_ms();
  node->want();
  return node;
}

// --- shards ------------------------------------------------------------------

std::vector<Shard> ClusterEngine::shards() const {
  std::vector<Shard> shards;
  for (const auto& node : nodes_) {
    if (node->buckets > 0) shards.push_back(node->number());
  }
  if (std::ranges::find(owners_, kNobody) != owners_.end()) {
    shards.push_back(kNobody);
  }
  return shards;
}

bool ClusterEngine::is_up(Shard shard) const {
  const ClusterNode* const node = find(shard);
  return node != nullptr && node->told_up && node->link().is_up();
}

Bytes ClusterEngine::replication_id(Shard shard) const {
  return is_up(shard) ? Bytes(find(shard)->link().identity().replication_id)
                      : Bytes();
}

void ClusterEngine::refresh_identity(Shard shard) {
  if (is_up(shard)) find(shard)->link().refresh_identity();
}

void ClusterEngine::reconnect(Shard shard, Bytes why) {
  if (ClusterNode* const node = find(shard)) node->link().close(why);
}

void ClusterEngine::read(bool on) {
  reading_ = on;
  for (const auto& node : nodes_) node->link().read(on);
}

// --- commands and topics -----------------------------------------------------

void ClusterEngine::call(Bucket bucket, Script script,
                         const std::vector<std::string>& keys,
                         const std::vector<std::string>& arguments,
                         ReplyHandler handler) {
  detours_.call({bucket, script, keys, arguments, 0, 0, std::move(handler)});
}

void ClusterEngine::call_and_wait(Bucket bucket, Script script,
                                  const std::vector<std::string>& keys,
                                  const std::vector<std::string>& arguments,
                                  std::uint32_t replicas, std::uint64_t wait_ms,
                                  ReplyHandler handler) {
  detours_.call(
      {bucket, script, keys, arguments, replicas, wait_ms, std::move(handler)});
}

void ClusterEngine::command(Bucket bucket,
                            const std::vector<std::string>& words,
                            ReplyHandler handler) {
  detours_.call({bucket, std::nullopt, {}, words, 0, 0, std::move(handler)});
}

void ClusterEngine::command_and_block(Bucket bucket,
                                      const std::vector<std::string>& words,
                                      std::uint64_t block_ms,
                                      ReplyHandler handler) {
  ClusterNode* const node = find(owners_[bucket]);
  if (node == nullptr) return refusals_.refuse_down(std::move(handler));
  node->link().command_and_block(words, block_ms, std::move(handler));
}

void ClusterEngine::listen(Bucket bucket, Bytes topic) {
  if (is_up(owners_[bucket])) {
    find(owners_[bucket])->link().listen(bucket, topic);
  }
}

void ClusterEngine::ignore(Bucket bucket, Bytes topic) {
  if (is_up(owners_[bucket])) {
    find(owners_[bucket])->link().ignore(bucket, topic);
  }
}

}  // namespace paperboy::broker::redis
