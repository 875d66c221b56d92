// What is remembered of good signatures, and what must not be taken for it.
#include "auth/signature_cache.hpp"

#include <memory>
#include <new>
#include <set>
#include <string>

#include "auth/tokens.hpp"
#include "test.hpp"

namespace {

using paperboy::Bytes;
using namespace paperboy::auth;
using namespace paperboy::auth::test;

constexpr std::size_t kLine = 64;

/// Zeroed memory, as a zone's is.
class Memory {
 public:
  explicit Memory(std::size_t size)
      : size_(size),
        bytes_(static_cast<std::byte*>(
            ::operator new(size, std::align_val_t(kLine)))) {
    std::fill_n(bytes_, size, std::byte{});
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory() { ::operator delete(bytes_, std::align_val_t(kLine)); }

  [[nodiscard]] std::span<std::byte> span() const { return {bytes_, size_}; }

 private:
  std::size_t size_;
  std::byte* bytes_;
};

KeyDigest digest_of(Algorithm algorithm, Bytes pem) {
  return Key::load(algorithm, pem)->digest();
}

void knows_a_token_of_a_key_again(void**) {
  const Memory memory(SignatureCache::kLeast);
  assert_true(SignatureCache::format(memory.span()));
  SignatureCache cache;
  cache.attach(memory.span());
  const KeyDigest key{1};
  assert_false(cache.holds(key, "a.b.c"));
  cache.keep(key, "a.b.c");
  assert_true(cache.holds(key, "a.b.c"));
  assert_false(cache.holds(key, "a.b.d"));
  assert_false(cache.holds(KeyDigest{2}, "a.b.c"));
  assert_int_equal(cache.stats().hits, 1);
  assert_int_equal(cache.stats().misses, 3);
}

void others_share_it(void**) {
  const Memory memory(SignatureCache::kLeast);
  assert_true(SignatureCache::format(memory.span()));
  SignatureCache one;
  SignatureCache other;
  one.attach(memory.span());
  other.attach(memory.span());
  one.keep(KeyDigest{1}, "a.b.c");
  assert_true(other.holds(KeyDigest{1}, "a.b.c"));
}

void remembers_nothing_unattached(void**) {
  SignatureCache cache;
  cache.keep(KeyDigest{1}, "a.b.c");
  assert_false(cache.holds(KeyDigest{1}, "a.b.c"));
  assert_int_equal(cache.stats().tokens, 0);
}

/// Each bucket forgets for itself: of as many as there is room for most stay.
void forgets_when_it_is_full(void**) {
  const Memory memory(SignatureCache::kLeast);
  assert_true(SignatureCache::format(memory.span()));
  SignatureCache cache;
  cache.attach(memory.span());
  const std::size_t room = cache.stats().tokens;
  assert_true(room >= 200);
  const auto count = [&](std::size_t from, std::size_t to) {
    std::size_t held = 0;
    for (std::size_t i = from; i < to; ++i) {
      held += cache.holds(KeyDigest{}, std::to_string(i)) ? 1 : 0;
    }
    return held;
  };
  for (std::size_t i = 0; i < 10 * room; ++i) {
    cache.keep(KeyDigest{}, std::to_string(i));
    assert_true(cache.holds(KeyDigest{}, std::to_string(i)));
  }
  assert_true(count(0, 10 * room) <= room);
  assert_true(count(0, 10 * room) > room / 2);
}

/// A mark isn't foreseen: the same token has another place in another cache.
void marks_are_secret(void**) {
  std::set<std::string> images;
  for (int i = 0; i < 2; ++i) {
    const Memory memory(SignatureCache::kLeast);
    assert_true(SignatureCache::format(memory.span()));
    SignatureCache cache;
    cache.attach(memory.span());
    cache.keep(KeyDigest{1}, "a.b.c");
    images.emplace(reinterpret_cast<const char*>(memory.span().data()) + 128,
                   SignatureCache::kLeast - 128);
  }
  assert_int_equal(images.size(), 2);
}

// ---- as tokens are verified ------------------------------------------------

struct Remembering {
  Memory memory{SignatureCache::kLeast};
  SignatureCache cache;

  Remembering() {
    assert_true(SignatureCache::format(memory.span()));
    cache.attach(memory.span());
  }
};

void a_second_look_is_a_hit(void**) {
  for (const Algorithm algorithm : {Algorithm::es256, Algorithm::rs256}) {
    Remembering remembering;
    KeySet keys = one_key(algorithm, pair_for(algorithm).public_pem);
    keys.remember_in(&remembering.cache);
    const std::string token = made(algorithm, R"({"sub":"ann"})");
    assert_good(token, keys);
    assert_good(token, keys);
    assert_int_equal(remembering.cache.stats().hits, 1);
    assert_int_equal(remembering.cache.stats().misses, 1);
  }
}

void a_secret_is_not_looked_up(void**) {
  Remembering remembering;
  KeySet keys = hs256_key();
  keys.remember_in(&remembering.cache);
  assert_good(hs256_token("{}"), keys);
  assert_int_equal(remembering.cache.stats().misses, 0);
}

void what_is_bad_stays_bad(void**) {
  Remembering remembering;
  KeySet keys = one_key(Algorithm::es256, p256().public_pem);
  keys.remember_in(&remembering.cache);
  const std::string token = made(Algorithm::es256, R"({"sub":"ann"})");
  assert_good(token, keys);
  std::string forged = token;
  const std::size_t last = forged.rfind('.') + 2;
  forged[last] = forged[last] == 'A' ? 'B' : 'A';
  assert_error(TokenError::signature, forged, keys);
  assert_error(TokenError::signature, forged, keys);
  const std::string cut = token.substr(0, token.rfind('.') + 1);
  assert_error(TokenError::signature, cut, keys);
}

/// What time does to a token it does to one that is remembered.
void claims_are_read_each_time(void**) {
  Remembering remembering;
  KeySet keys = one_key(Algorithm::es256, p256().public_pem);
  keys.remember_in(&remembering.cache);
  const std::string token =
      made(Algorithm::es256, R"({"sub":"ann","exp":1700000060})");
  assert_good(token, keys);
  assert_error(TokenError::expired, token, keys, {}, kNow + 60);
  TokenRules rules;
  rules.issuer = "somebody else";
  assert_error(TokenError::issuer, token, keys, rules);
}

/// A key that is gone from the configuration lets nobody in, whatever is
/// remembered of it; nor does its material for another algorithm.
void another_key_knows_nothing_of_it(void**) {
  Remembering remembering;
  KeySet keys = one_key(Algorithm::es256, p256().public_pem);
  keys.remember_in(&remembering.cache);
  const std::string token = made(Algorithm::es256, R"({"sub":"ann"})");
  assert_good(token, keys);
  KeySet others = one_key(Algorithm::es256, make_ec("P-256").public_pem);
  others.remember_in(&remembering.cache);
  assert_error(TokenError::signature, token, others);
  assert_memory_not_equal(digest_of(Algorithm::rs256, rsa().public_pem).data(),
                          digest_of(Algorithm::rs384, rsa().public_pem).data(),
                          32);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(knows_a_token_of_a_key_again),
      cmocka_unit_test(others_share_it),
      cmocka_unit_test(remembers_nothing_unattached),
      cmocka_unit_test(forgets_when_it_is_full),
      cmocka_unit_test(marks_are_secret),
      cmocka_unit_test(a_second_look_is_a_hit),
      cmocka_unit_test(a_secret_is_not_looked_up),
      cmocka_unit_test(what_is_bad_stays_bad),
      cmocka_unit_test(claims_are_read_each_time),
      cmocka_unit_test(another_key_knows_nothing_of_it),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
