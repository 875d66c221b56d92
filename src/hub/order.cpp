//   order  = version kind flags code expires since-epoch since-offset
//            string* count string*
//
// Numbers and strings are those of base/packing.hpp.
#include "hub/order.hpp"

#include "base/packing.hpp"

namespace paperboy::hub {

namespace {

// Workers of two builds may share a log while nginx is upgraded, or a Redis.
constexpr std::uint64_t kVersion = 1;

constexpr std::uint64_t kHasUser = 1;
constexpr std::uint64_t kHasSince = 2;
constexpr std::uint64_t kExpired = 4;

}  // namespace

std::string encode(const Order& order) {
  std::string out;
  put(out, kVersion);
  put(out, static_cast<std::uint64_t>(order.kind));
  put(out, (order.user ? kHasUser : 0) | (order.since ? kHasSince : 0) |
               (order.expired ? kExpired : 0));
  put(out, std::uint64_t{order.code});
  put(out, static_cast<std::uint64_t>(order.expires));
  const Position since = order.since.value_or(Position{});
  put(out, since.epoch);
  put(out, since.offset);
  const std::string user = order.user.value_or(std::string());
  for (const std::string* const text :
       {&order.name_space, &user, &order.client, &order.channel, &order.reason,
        &order.info, &order.data}) {
    put(out, *text);
  }
  put(out, order.spared.size());
  for (const std::string& client : order.spared) put(out, client);
  return out;
}

std::optional<Order> decode(Bytes text) {
  Unpacker in(text);
  Order order;
  if (in.number() != kVersion) return {};
  const std::uint64_t kind = in.number();
  if (kind > static_cast<std::uint64_t>(Order::Kind::last)) return {};
  order.kind = static_cast<Order::Kind>(kind);
  const std::uint64_t flags = in.number();
  order.code = static_cast<std::uint16_t>(in.number());
  order.expires = static_cast<std::int64_t>(in.number());
  order.expired = (flags & kExpired) != 0;
  Position since;
  since.epoch = in.number();
  since.offset = in.number();
  if ((flags & kHasSince) != 0) order.since = since;
  std::string user;
  for (std::string* const member :
       {&order.name_space, &user, &order.client, &order.channel, &order.reason,
        &order.info, &order.data}) {
    *member = in.text();
  }
  if ((flags & kHasUser) != 0) order.user = std::move(user);
  order.spared = in.texts();
  if (!in.done()) return {};
  return order;
}

}  // namespace paperboy::hub
