#include "broker/redis_inbox_entry.hpp"

#include <array>
#include <optional>

#include "base/utf8.hpp"
#include "hub/key.hpp"

namespace paperboy::broker::redis {

namespace {

struct Fields {
  std::optional<Bytes> channel{};
  std::optional<Bytes> data{};
  std::optional<Bytes> name_space{};
  std::optional<Bytes> key{};
  std::optional<Bytes> binary{};
};

struct Field {
  Bytes name;
  std::optional<Bytes> Fields::*member;
};

constexpr std::array kFields{
    Field{"channel", &Fields::channel}, Field{"data", &Fields::data},
    Field{"namespace", &Fields::name_space}, Field{"key", &Fields::key},
    Field{"binary", &Fields::binary}};

Error bad(Bytes why) { return {ErrorCode::bad_request, why}; }

std::optional<Bytes>* find(Fields& fields, Bytes name) {
  for (const Field& field : kFields) {
    if (field.name == name) return &(fields.*field.member);
  }
  return nullptr;
}

Result<Fields> sort(const Reply& reply) {
  Fields fields;
  for (std::size_t i = 0; i + 1 < reply.items.size(); i += 2) {
    std::optional<Bytes>* const field = find(fields, reply.items[i].string());
    if (field == nullptr) {
      return bad("its fields are channel, data, namespace, key and binary");
    }
    if (*field) return bad("it has a field twice");
    *field = reply.items[i + 1].string();
  }
  return fields;
}

}  // namespace

Result<InboxEntry> parse_inbox_entry(const Reply& reply) {
  const auto fields = sort(reply);
  if (!fields) return fields.error();
  const auto channel =
      hub::channel_key(fields->name_space.value_or(""),
                       fields->channel.value_or(""), kMaxInboxChannel);
  if (!channel) return channel.error();
  if (!fields->data) return bad("it has no data");
  if (fields->data->size() > kMaxInboxData) return bad("its data is over 1 MB");
  const Bytes binary = fields->binary.value_or("0");
  if (binary != "0" && binary != "1") return bad("binary is 0 or 1");
  if (binary == "0" && !is_utf8(*fields->data)) {
    return bad("its data is not UTF-8: say binary 1");
  }
  const Bytes key = fields->key.value_or("");
  if (key.size() > Draft::kMaxIdempotencyKey) {
    return bad("its key is over 256 bytes");
  }
  return InboxEntry{*channel, std::string(*fields->data), std::string(key),
                    binary == "1" ? Kind::binary : Kind::text};
}

}  // namespace paperboy::broker::redis
