//   order  = version kind flags code expires since-epoch since-offset
//            string* count string*
//   string = size bytes
//
// Numbers are 8 bytes, as this machine has them: an order doesn't leave it.
#include "hub/order.hpp"

#include <cstring>

namespace paperboy::hub {

namespace {

// Workers of two builds may share a log while nginx is upgraded.
constexpr std::uint64_t kVersion = 1;

constexpr std::uint64_t kHasUser = 1;
constexpr std::uint64_t kHasSince = 2;
constexpr std::uint64_t kExpired = 4;

void put(std::string& out, std::uint64_t number) {
  char bytes[sizeof number];
  std::memcpy(bytes, &number, sizeof number);
  out.append(bytes, sizeof bytes);
}

void put(std::string& out, Bytes text) {
  put(out, text.size());
  out += text;
}

class Reader {
 public:
  explicit Reader(Bytes rest) : rest_(rest) {}

  std::uint64_t number() {
    std::uint64_t number = 0;
    const Bytes bytes = take(sizeof number);
    if (good_) std::memcpy(&number, bytes.data(), sizeof number);
    return number;
  }
  std::string text() { return std::string(take(number())); }
  std::vector<std::string> texts() {
    std::vector<std::string> all;
    for (std::uint64_t n = number(); good_ && n > 0; --n) {
      all.push_back(text());
    }
    return all;
  }
  [[nodiscard]] bool done() const { return good_ && rest_.empty(); }

 private:
  Bytes take(std::uint64_t size) {
    good_ = good_ && size <= rest_.size();
    if (!good_) return {};
    const Bytes taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  Bytes rest_;
  bool good_ = true;
};

}  // namespace

std::string encode(const Order& order) {
  std::string out;
  put(out, kVersion);
  put(out, static_cast<std::uint64_t>(order.kind));
  put(out, (order.user ? kHasUser : 0) | (order.since ? kHasSince : 0) |
               (order.expired ? kExpired : 0));
  put(out, order.code);
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
  Reader in(text);
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
