// What a listener gets (redis.io/docs/manual/pubsub):
//
//   [message, TOPIC, MESSAGE]           pushed
//   [subscribe, TOPIC, count]           one a topic of the command
//   [unsubscribe, TOPIC, count]
//   smessage, ssubscribe, sunsubscribe  the same of a cluster's shards; a
//                                       sunsubscribe comes unasked when the
//                                       topic's slot leaves the server
#include "broker/redis_listener.hpp"

#include <utility>

namespace paperboy::broker::redis {

namespace {

constexpr std::size_t kBatch = 512;   // topics a command
constexpr std::size_t kBatches = 16;  // commands on their way

Login login_of(const Options& options) {
  return {options.user, options.password, 0};  // topics are of no database
}

}  // namespace

Listener::Listener(const Context& context, const Server& server, Topics topics,
                   ListenerEvents& events)
    : events_(events),
      topics_(topics),
      flush_(context.network.alarm([this] { send_wishes(); })),
      connection_(context.network, context.options, server,
                  login_of(context.options), *this) {}

// --- asking ------------------------------------------------------------------

void Listener::ask(bool listens, Bucket bucket, Bytes topic) {
  wishes_.push_back({listens, bucket, std::string(topic)});
  if (!flush_->is_set()) flush_->set(0);
}

void Listener::send_wishes() {
  while (is_up() && !wishes_.empty() && batches_.size() < kBatches) {
    send_batch();
  }
}

void Listener::send_batch() {
  const Wish first = std::move(wishes_.front());
  wishes_.pop_front();
  Batch batch{first.listens, {first.topic}};
  while (!wishes_.empty() && batch.topics.size() < kBatch &&
         goes_with(wishes_.front(), first)) {
    batch.topics.push_back(std::move(wishes_.front().topic));
    wishes_.pop_front();
  }
  std::vector<Bytes> words{verb(first.listens)};
  words.insert(words.end(), batch.topics.begin(), batch.topics.end());
  std::string command;
  append_command(command, words);
  batches_.push_back(std::move(batch));
  connection_.send(
      command, [this](const Result<Reply>& answer) { on_confirmation(answer); },
      words.size() - 1);
}

bool Listener::goes_with(const Wish& wish, const Wish& other) const {
  return wish.listens == other.listens &&
         (topics_ == Topics::everywhere || wish.bucket == other.bucket);
}

Bytes Listener::verb(bool listens) const {
  if (topics_ == Topics::sharded)
    return listens ? "SSUBSCRIBE" : "SUNSUBSCRIBE";
  return listens ? "SUBSCRIBE" : "UNSUBSCRIBE";
}

// --- hearing -----------------------------------------------------------------

bool Listener::on_push(const Reply& reply) {
  if (reply.items.size() != 3) return false;
  const Bytes kind = reply.items[0].string();
  const Bytes topic = reply.items[1].string();
  if (kind == "message" || kind == "smessage") {
    events_.on_message(topic, reply.items[2].string());
    return true;
  }
  if (kind != "sunsubscribe") return false;
  const bool asked = !batches_.empty() && !batches_.front().listens &&
                     topic == batches_.front().topics.front();
  if (!asked) events_.on_topic_lost(topic, "its slot has left the server");
  return !asked;
}

void Listener::on_confirmation(const Result<Reply>& answer) {
  if (!answer) return;
  if (answer->is_error()) return on_refused(answer->text);
  Batch& batch = batches_.front();
  const bool fits = answer->items.size() == 3 &&
                    answer->items[1].string() == batch.topics.front();
  if (!fits) return connection_.lose("it confirms what nobody asked for");
  const std::string topic = std::move(batch.topics.front());
  const bool listens = batch.listens;
  batch.topics.pop_front();
  if (batch.topics.empty()) {
    batches_.pop_front();
    if (!wishes_.empty()) flush_->set(0);
  }
  if (listens) events_.on_listening(topic);
}

/// The whole command. A server of a cluster refuses what is elsewhere; one that
/// stands alone refuses a user who may not listen.
void Listener::on_refused(Bytes why) {
  if (topics_ == Topics::everywhere) {
    return connection_.lose("it answers " + printable(why) +
                            " to SUBSCRIBE: its user needs the channels "
                            "(&PREFIX*, of paperboy's prefix)");
  }
  const Batch batch = std::move(batches_.front());
  batches_.pop_front();
  if (!wishes_.empty()) flush_->set(0);
  if (!batch.listens) return;
  for (const std::string& topic : batch.topics) {
    events_.on_topic_lost(topic, why);
  }
}

void Listener::on_lost(Bytes why) {
  flush_->cancel();
  wishes_.clear();
  batches_.clear();
  events_.on_listener_lost(why);
}

}  // namespace paperboy::broker::redis
