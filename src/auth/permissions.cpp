#include "auth/permissions.hpp"

#include <algorithm>

namespace paperboy::auth {

namespace {

constexpr std::uint8_t bit(Scope scope) {
  return static_cast<std::uint8_t>(1U << static_cast<unsigned>(scope));
}

bool names(Bytes pattern, Bytes channel) {
  if (pattern.ends_with('*')) {
    return channel.starts_with(pattern.substr(0, pattern.size() - 1));
  }
  return channel == pattern;
}

}  // namespace

Grants Grants::everything() {
  Grants all;
  all.channels_.push_back({"*", false});
  all.names_channels_ = true;
  for (const Scope scope :
       {Scope::subscribe, Scope::publish, Scope::history, Scope::presence}) {
    all.add_scope(scope);
  }
  return all;
}

bool Grants::add_channel(Bytes pattern, bool exact) {
  if (pattern.empty() || pattern.size() > kMaxChannelLength ||
      channels_.size() == kMaxChannels) {
    return false;
  }
  channels_.push_back({std::string(pattern), exact});
  names_channels_ = true;
  return true;
}

bool Grants::add(Scope scope, Bytes pattern, bool exact) {
  if (pattern.empty() || pattern.size() > kMaxChannelLength ||
      capabilities_.size() == kMaxChannels) {
    return false;
  }
  capabilities_.push_back({std::string(pattern), bit(scope), exact});
  names_channels_ = true;
  return true;
}

void Grants::add_scope(Scope scope) { scopes_ |= bit(scope); }

bool Grants::has(Scope scope) const { return (scopes_ & bit(scope)) != 0; }

bool Grants::allows(Scope scope, Bytes channel) const {
  if (has(scope) &&
      std::any_of(channels_.begin(), channels_.end(), [&](const Channel& one) {
        return exact_ || one.exact ? channel == one.pattern
                                   : names(one.pattern, channel);
      })) {
    return true;
  }
  return std::any_of(capabilities_.begin(), capabilities_.end(),
                     [&](const Capability& one) {
                       return (one.scopes & bit(scope)) != 0 &&
                              (one.exact ? channel == one.pattern
                                         : names(one.pattern, channel));
                     });
}

}  // namespace paperboy::auth
