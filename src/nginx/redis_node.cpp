//   question := "channels" query      (strings, as base/packing.hpp has them)
//   answer   := status channels       (a number: 0, or an ErrorCode and one)
#include "nginx/redis_node.hpp"

#include <utility>

#include "api/answers.hpp"
#include "base/packing.hpp"
#include "nginx/worker.hpp"
#include "nginx/zone.hpp"
#include "session/client_id.hpp"

namespace paperboy::nginx {

namespace {

constexpr Bytes kChannels = "channels";

Result<Done> merge(api::ActiveChannels& all, Bytes answer) {
  Unpacker in(answer);
  const std::uint64_t status = in.number();
  const Bytes channels = in.text();
  if (!in.done()) return Error{ErrorCode::unavailable, {}};
  if (status != 0) return Error{static_cast<ErrorCode>(status - 1), {}};
  return all.add_encoded(channels);
}

}  // namespace

RedisNode::RedisNode(Worker& worker, hub::Hub& hub, broker::RedisBroker& broker,
                     broker::redis::Lease& lease, std::uint64_t timeout_ms)
    : worker_(worker),
      broker_(broker),
      lease_(lease),
      timeout_ms_(timeout_ms),
      own_(worker),
      survey_(hub, worker_clock(), node_uid(),
              session::client_text(session::make_client_id()),
              [this](Bytes question) { return answer(question); }) {
  lease_.describe([this] { return describe(); });
}

RedisNode::~RedisNode() {
  lease_.describe({});
  if (master_leaves() || ngx_terminate != 0) lease_.remove_node(node_uid());
}

void RedisNode::tick() {
  // What can't be yet is tried again; meanwhile questions fail.
  (void)survey_.listen();
  survey_.tick();
}

// ---- info ------------------------------------------------------------------

/// Written by one worker.
broker::redis::NodeState RedisNode::describe() const {
  if (!broker_.speaks_for_node()) return {};
  std::string info;
  api::append_node(info, own_.own_info());
  return {node_uid(), info};
}

void RedisNode::info(const InfoReply& reply) {
  lease_.find_nodes([this, reply](const Result<Done>& renewed) {
    if (!renewed) return reply(renewed.error());
    std::vector<api::NodeInfo> nodes = {own_.own_info()};
    for (const auto& [uid, text] : lease_.nodes()) {
      if (uid == node_uid()) continue;
      auto node = api::parse_node(text);
      if (node) nodes.push_back(std::move(*node));
    }
    reply(nodes);
  });
}

// ---- channels --------------------------------------------------------------

void RedisNode::channels(const api::ChannelsQuery& query,
                         const ChannelsReply& reply) {
  lease_.find_nodes([this, query, reply](const Result<Done>& renewed) {
    if (!renewed) return reply(renewed.error());
    ask(query, reply);
  });
}

void RedisNode::ask(const api::ChannelsQuery& query,
                    const ChannelsReply& reply) {
  std::vector<std::string> others;
  for (const auto& node : lease_.nodes()) {
    if (node.uid != node_uid()) others.push_back(node.uid);
  }
  if (others.empty()) return own_.channels(query, reply);
  std::string question;
  put(question, kChannels);
  put(question, encode(query));
  survey_.ask(
      question, others, timeout_ms_,
      [this, query, reply](const Result<std::vector<std::string>>& answers) {
        if (!answers) return reply(answers.error());
        auto all = own_.own_channels(query);
        if (!all) return reply(all.error());
        for (const std::string& answer : *answers) {
          const auto merged = merge(*all, answer);
          if (!merged) return reply(merged.error());
        }
        reply(all);
      });
}

/// What is asked of this node by another.
std::optional<std::string> RedisNode::answer(Bytes question) const {
  if (!broker_.speaks_for_node()) return {};
  Unpacker in(question);
  if (in.text() != kChannels) return {};
  const auto query = api::decode_query(in.text());
  if (!query || !in.done()) return {};
  const auto found = own_.own_channels(*query);
  std::string answer;
  if (found) {
    put(answer, 0);
    put(answer, found->encode());
  } else {
    put(answer, static_cast<std::uint64_t>(found.error().code) + 1);
    put(answer, Bytes());
  }
  return answer;
}

}  // namespace paperboy::nginx
