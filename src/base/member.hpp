// Somebody who is in a channel: one connection, as others may know it.
// `Member` borrows its bytes for the call that carries it.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.hpp"

namespace paperboy {

struct Member {
  static constexpr std::size_t kMaxLength = 65'535;  // bytes, all of it

  Bytes client{};     // its connection's id
  Bytes user{};       // empty: nobody in particular
  Bytes conn_info{};  // JSON, of its connection token; empty: none
  Bytes chan_info{};  // JSON, of its channel token; empty: none
};

/// One that owns its bytes.
struct MemberRecord {
  std::string client;
  std::string user;
  std::string conn_info;
  std::string chan_info;

  explicit MemberRecord(const Member& member)
      : client(member.client),
        user(member.user),
        conn_info(member.conn_info),
        chan_info(member.chan_info) {}
  [[nodiscard]] Member view() const {
    return {client, user, conn_info, chan_info};
  }
};

struct PresenceStats {
  std::uint64_t clients = 0;
  std::uint64_t users = 0;  // that differ
};

/// Appends it as the ClientInfo of the Centrifugal client protocol:
/// {"user":"...","client":"...","conn_info":...,"chan_info":...}.
void append_member(std::string& out, const Member& member);

}  // namespace paperboy
