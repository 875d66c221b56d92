// The channels that somebody is subscribed to, as `channels` asks for them: of
// one node, or of several, whose counts are summed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace paperboy::api {

struct ChannelsQuery {
  std::string name_space;
  std::string pattern;   // empty: all
  std::size_t room = 0;  // bytes of the answer, about

  /// What the keys of all that is asked for begin with.
  [[nodiscard]] std::string prefix() const;
  /// The name behind a key; empty: it isn't asked for.
  [[nodiscard]] Bytes name(Bytes key) const;
};

/// For another node, which may be of another build.
[[nodiscard]] std::string encode(const ChannelsQuery& query);
[[nodiscard]] std::optional<ChannelsQuery> decode_query(Bytes text);

class ActiveChannels {
 public:
  /// `room`: see ChannelsQuery.
  explicit ActiveChannels(std::size_t room) : room_(room) {}

  /// Error: too_large.
  Result<Done> add(Bytes name, std::uint64_t subscribers);

  /// What encode() wrote. Errors: too_large, internal (another wrote it).
  Result<Done> add_encoded(Bytes text);
  [[nodiscard]] std::string encode() const;

  [[nodiscard]] const std::map<std::string, std::uint64_t>& all() const {
    return all_;
  }

 private:
  std::size_t room_;
  std::map<std::string, std::uint64_t> all_;  // subscribers by name
};

}  // namespace paperboy::api
