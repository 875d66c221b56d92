#include "broker/redis_keys.hpp"

#include <openssl/evp.h>

#include <array>

namespace paperboy::broker::redis {

namespace {

std::string hex_sha256(Bytes channel, Bytes key) {
  std::string both(channel);
  both.append(1, '\0').append(key);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(both.data(), both.size(), digest.data(), &size, EVP_sha256(),
             nullptr);
  static constexpr Bytes kDigits = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < size; ++i) {
    text += kDigits[digest[i] >> 4];
    text += kDigits[digest[i] & 15];
  }
  return text;
}

}  // namespace

Bucket bucket_of(Bytes channel) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : channel) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  }
  return static_cast<Bucket>(hash % kBuckets);
}

Keys::Keys(std::string prefix, std::uint32_t database)
    : prefix_(std::move(prefix)),
      topics_(database == 0 ? "t" : "t" + std::to_string(database)) {}

std::string Keys::bucket(Bucket bucket) const {
  return prefix_ + '{' + std::to_string(bucket) + '}';
}

std::string Keys::changed(Bucket bucket) const {
  return this->bucket(bucket) + ":c";
}

std::string Keys::key(Bytes channel, Bytes what) const {
  std::string key = bucket(bucket_of(channel));
  key.append(1, ':').append(what).append(1, ':').append(channel);
  return key;
}

std::string Keys::meta(Bytes channel) const { return key(channel, "m"); }

std::string Keys::stream(Bytes channel) const { return key(channel, "s"); }

std::string Keys::topic(Bytes channel) const { return key(channel, topics_); }

std::string Keys::members(Bytes channel) const { return key(channel, "p"); }

std::string Keys::held(Bucket bucket, Bytes holder) const {
  return this->bucket(bucket).append(":h:").append(holder);
}

std::string Keys::idempotency(Bytes channel, Bytes key) const {
  return bucket(bucket_of(channel)) + ":i:" + hex_sha256(channel, key);
}

/// <prefix>{N}:t:CHANNEL, where N is the channel's, and the database's t.
Bytes Keys::channel_of(Bytes topic) const {
  if (!topic.starts_with(prefix_)) return {};
  const Bytes rest = topic.substr(prefix_.size());
  const std::string tag = "}:" + topics_ + ":";
  const std::size_t at = rest.find(tag);
  if (at == Bytes::npos || !rest.starts_with('{')) return {};
  const Bytes channel = rest.substr(at + tag.size());
  return Bytes(this->topic(channel)) == topic ? channel : Bytes();
}

}  // namespace paperboy::broker::redis
