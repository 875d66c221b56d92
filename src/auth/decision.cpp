#include "auth/decision.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "auth/claims.hpp"
#include "base/json.hpp"

namespace paperboy::auth {

namespace {

using Checked = Result<Done, Bytes>;

constexpr std::size_t kMaxDepth = 16;

bool is_blank(Bytes text) {
  return text.find_first_not_of(" \t\r\n") == Bytes::npos;
}

/// Ids are strings, and in many applications numbers.
Checked read_user(const Json& answer, Decision& decision) {
  const Json user = answer.get("user");
  if (!user) return Done{};
  const auto number = user.as_integer();
  if (!user.is_string() && !number) {
    return Bytes("user is neither a string nor an integer");
  }
  decision.user =
      number ? std::to_string(*number) : std::string(user.as_string());
  return Done{};
}

Checked read_expiry(const Json& answer, Decision& decision) {
  const Json end = answer.get("expire_at");
  if (!end) return Done{};
  const auto seconds = end.as_number();
  if (!seconds) return Bytes("expire_at is no number of seconds since 1970");
  if (*seconds <= 0) return Done{};
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  const double up = std::ceil(*seconds);
  decision.expires =
      up >= static_cast<double>(kMax) ? kMax : static_cast<std::int64_t>(up);
  return Done{};
}

Checked read_channels(const Json& answer, Decision& decision) {
  const Json channels = answer.get("channels");
  if (!channels) return Done{};
  if (!channels.is_array()) return Bytes("channels is no array");
  decision.grants.emplace().name_channels();
  for (std::size_t i = 0; i < channels.size(); ++i) {
    const Json name = channels.at(i);
    if (!decision.grants->add(Scope::subscribe, name.as_string(),
                              /*exact=*/true)) {
      return Bytes("channels has what is no name of a channel, or too many");
    }
    decision.subscriptions.push_back({std::string(name.as_string()), {}});
  }
  return Done{};
}

Checked read_caps(const Json& answer, Decision& decision) {
  const Json caps = answer.get("caps");
  if (!caps) return Done{};
  if (!decision.grants) decision.grants.emplace();
  return read_capabilities(caps, decision.user, *decision.grants)
             ? Checked(Done{})
             : Checked(Bytes("caps is not as in a token"));
}

Checked read_limits(const Json& answer, Decision& decision) {
  const Json limits = answer.get("limits");
  if (!limits) return Done{};
  const auto read = read_allowance(limits);
  if (!read) return Bytes("limits is not as in a token");
  decision.limits = *read;
  return Done{};
}

}  // namespace

Result<Decision, Bytes> read_decision(Bytes body) {
  Decision decision;
  if (is_blank(body)) return decision;
  const auto answer =
      Json::parse(body, {.depth = kMaxDepth, .size = body.size()});
  if (!answer || !answer->is_object()) return Bytes("it is no JSON object");
  for (const auto read :
       {read_user, read_expiry, read_channels, read_caps, read_limits}) {
    if (auto done = read(*answer, decision); !done) return done.error();
  }
  if (const Json info = answer->get("info"); info && !info.is_null()) {
    decision.info = info.dump();
  }
  return decision;
}

}  // namespace paperboy::auth
