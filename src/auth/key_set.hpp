// The keys that a location's tokens may be signed with: those that its
// configuration names, and those of issuers that change them meanwhile.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "auth/key.hpp"
#include "auth/signature_cache.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"

namespace paperboy::auth {

/// Keys that are replaced as a whole while the configuration stays, such as a
/// JWKS. Each worker has its own and fills it on its event loop.
class KeySource {
 public:
  /// `secrets`: keys that sign as well (HS) may come to be in it.
  explicit KeySource(bool secrets = true) : secrets_(secrets) {}
  KeySource(const KeySource&) = delete;
  KeySource& operator=(const KeySource&) = delete;

  /// No key that find() gave may be in use.
  void replace(std::vector<Key> keys);

  /// They aren't trusted any more: it is as if it had never been filled.
  void drop();

  [[nodiscard]] bool filled() const { return filled_; }

  /// It isn't filled, and may come to have a key of that algorithm.
  [[nodiscard]] bool waits_for(Algorithm algorithm) const {
    return !filled_ && (secrets_ || !is_hmac(algorithm));
  }

  [[nodiscard]] const std::vector<Key>& keys() const { return keys_; }

  /// A token named a kid that isn't here: it may be newer than the keys.
  void want() { wanted_ = true; }
  /// Whether any did since this was asked last.
  bool take_wanted();

 private:
  const bool secrets_;
  std::vector<Key> keys_;
  bool filled_ = false;
  bool wanted_ = false;
};

/// A token with a `kid` is verified by the keys of that name and no other, of
/// which each part has one an algorithm; one without, by the keys without a
/// name. So a token costs at most kMaxUnnamed verifications a part.
class KeySet {
 public:
  static constexpr std::size_t kMaxUnnamed = 8;

  /// Refuses a second key of the same kid, and a ninth without one.
  Result<Done, std::string> add(Key key);

  void add(std::shared_ptr<KeySource> source);

  /// Nothing is configured: tokens aren't asked for.
  [[nodiscard]] bool empty() const { return keys_.empty() && sources_.empty(); }

  /// Of the configuration.
  [[nodiscard]] std::size_t size() const { return keys_.size(); }

  /// Some part that may have keys of that algorithm isn't filled: they aren't
  /// known yet, or no longer.
  [[nodiscard]] bool waits_for(Algorithm algorithm) const;

  /// The keys to try for a token: those named `kid`, or, without a kid, those
  /// without a name, in the order they were added. Where there is none of that
  /// name, the sources are told. Good until the set or a source changes.
  [[nodiscard]] std::vector<const Key*> find(std::optional<Bytes> kid) const;

  /// Where good signatures are remembered; null: nowhere. It must outlive this.
  void remember_in(SignatureCache* cache) { cache_ = cache; }
  [[nodiscard]] SignatureCache* cache() const { return cache_; }

 private:
  std::vector<Key> keys_;
  std::vector<std::shared_ptr<KeySource>> sources_;
  SignatureCache* cache_ = nullptr;
};

}  // namespace paperboy::auth
