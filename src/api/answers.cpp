#include "api/answers.hpp"

#include <algorithm>
#include <utility>

#include "base/centrifugal.hpp"
#include "base/json.hpp"
#include "base/json_text.hpp"

namespace paperboy::api {

void append_error(std::string& out, ErrorCode code) {
  const ProtocolError error = protocol_error(code);
  out.append(R"({"code":)").append(std::to_string(error.code));
  out.append(R"(,"message":")").append(error.message).append("\"}");
}

void append_position(std::string& out, const Position& position, bool kept) {
  out.append(R"({"epoch":")").append(epoch_text(position.epoch)).append("\"");
  if (kept) {
    out.append(R"(,"offset":)").append(std::to_string(position.offset));
  }
  out += '}';
}

void append_token(std::string& out, const hub::MadeToken& made) {
  out.append(R"({"token":")").append(made.token);
  out.append(R"(","id":")").append(made.id);
  out.append(R"(","expire_at":)").append(std::to_string(made.expires));
  out += '}';
}

void append_members(std::string& out, std::span<const MemberRecord> members) {
  out += R"({"presence":{)";
  for (const MemberRecord& member : members) {
    if (&member != members.data()) out += ',';
    append_json_string(out, member.client);
    out += ':';
    append_member(out, member.view());
  }
  out += "}}";
}

void append_stats(std::string& out, const PresenceStats& stats) {
  out.append(R"({"num_clients":)").append(std::to_string(stats.clients));
  out.append(R"(,"num_users":)").append(std::to_string(stats.users));
  out += '}';
}

void append_history(std::string& out, const HistoryPage& page) {
  out += R"({"publications":[)";
  for (const Kept& kept : page.publications) {
    if (&kept != page.publications.data()) out += ',';
    append_publication(out, kept.kind, kept.data, kept.extra,
                       kept.position.offset);
  }
  out += R"(],"epoch":")";
  if (page.top.epoch != 0) out += epoch_text(page.top.epoch);
  out.append(R"(","offset":)").append(std::to_string(page.top.offset));
  out += '}';
}

void append_channels(std::string& out, const ActiveChannels& channels) {
  out += R"({"channels":{)";
  bool any = false;
  for (const auto& [name, subscribers] : channels.all()) {
    if (std::exchange(any, true)) out += ',';
    append_json_string(out, name);
    out.append(R"(:{"num_clients":)").append(std::to_string(subscribers));
    out += '}';
  }
  out += "}}";
}

void append_info(std::string& out, std::span<const NodeInfo> nodes) {
  out += R"({"nodes":[)";
  for (const NodeInfo& node : nodes) {
    if (&node != nodes.data()) out += ',';
    append_node(out, node);
  }
  out += "]}";
}

/// Users aren't counted.
void append_node(std::string& out, const NodeInfo& info) {
  out += R"({"uid":)";
  append_json_string(out, info.uid);
  out += R"(,"name":)";
  append_json_string(out, info.name);
  out += R"(,"version":)";
  append_json_string(out, info.version);
  out.append(R"(,"num_clients":)").append(std::to_string(info.clients));
  out += R"(,"num_users":0)";
  out.append(R"(,"num_subs":)").append(std::to_string(info.subscriptions));
  out.append(R"(,"num_channels":)").append(std::to_string(info.channels));
  out.append(R"(,"uptime":)").append(std::to_string(info.uptime_seconds));
  out += '}';
}

std::optional<NodeInfo> parse_node(Bytes text) {
  const auto json = Json::parse(text);
  if (!json || !json->is_object()) return {};
  const auto number = [&](Bytes name) {
    const auto value = json->get(name).as_integer().value_or(0);
    return static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0));
  };
  NodeInfo info{.uid = std::string(json->get("uid").as_string()),
                .name = std::string(json->get("name").as_string()),
                .version = std::string(json->get("version").as_string()),
                .clients = number("num_clients"),
                .subscriptions = number("num_subs"),
                .channels = number("num_channels"),
                .uptime_seconds = number("uptime")};
  if (info.uid.empty()) return {};
  return info;
}

}  // namespace paperboy::api
