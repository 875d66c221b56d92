// The results of the HTTP API's methods, as JSON. Each appends an object.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "api/node.hpp"
#include "base/error.hpp"
#include "base/history.hpp"
#include "base/member.hpp"
#include "hub/tokens.hpp"

namespace paperboy::api {

void append_error(std::string& out, ErrorCode code);

/// Of a publication; `kept`: it has an offset of its own.
void append_position(std::string& out, const Position& position, bool kept);

void append_token(std::string& out, const hub::MadeToken& made);

void append_members(std::string& out, std::span<const MemberRecord> members);
void append_stats(std::string& out, const PresenceStats& stats);
void append_history(std::string& out, const HistoryPage& page);
void append_channels(std::string& out, const ActiveChannels& channels);
void append_info(std::string& out, std::span<const NodeInfo> nodes);

/// One node, as it stands among the others.
void append_node(std::string& out, const NodeInfo& info);

/// What append_node wrote, of any build. Nothing for what isn't that.
[[nodiscard]] std::optional<NodeInfo> parse_node(Bytes text);

}  // namespace paperboy::api
