// What becomes of sessions whose token is revoked: conversation_revocation.cpp.
#include <cstring>
#include <new>
#include <string>

#include "auth/jwt_sign.hpp"
#include "session/talk.hpp"

#include "test.hpp"

namespace paperboy::session {
namespace {

const std::string kSecret(64, 'k');

struct Revoking : Talk {
  Revoking() {
    std::memset(memory, 0, kSize);
    assert_true(auth::Revocations::format({memory, kSize}));
    all.attach({memory, kSize});
    all.set_complete();
    context.revocations = &all;
    assert_true(
        keys.add(auth::Key::load(auth::Algorithm::hs256, kSecret).value())
            .ok());
    settings.issuers = &issuers;
  }
  Revoking(const Revoking&) = delete;
  Revoking& operator=(const Revoking&) = delete;
  ~Revoking() { ::operator delete(memory, std::align_val_t(64)); }

  void revoke(Revocation one) {
    one.until = static_cast<std::uint32_t>(clock.unix_seconds() + 1000);
    assert_true(all.add(one, clock.unix_seconds()));
    recheck();
  }
  void recheck() {
    for (Client* const client : clients) {
      client->socket.recheck();
      client->flush();
    }
  }
  /// Who was let in by a token, to `channels`.
  Admission by_token(Bytes user, Bytes id,
                     std::vector<std::string> channels = {}) {
    Admission admission;
    admission.user = user;
    admission.by_token = true;
    admission.grants.emplace();
    assert_true(admission.grants->add_channel("*"));
    admission.grants->add_scope(auth::Scope::subscribe);
    admission.mark = all.mark(id, 100);
    admission.channels = std::move(channels);
    return admission;
  }

  static constexpr std::size_t kSize = 16384;
  std::byte* memory =
      static_cast<std::byte*>(::operator new(kSize, std::align_val_t(64)));
  auth::Revocations all;
  auth::KeySet keys;
  auth::TokenRules token_rules;
  auth::Issuers issuers{keys, token_rules};
};

std::string token(Bytes claims) {
  return *auth::sign(auth::Algorithm::hs256, kSecret, claims);
}

constexpr const char* kEnd = "close 3005 the token was revoked\n";
constexpr const char* kNativeEnd = "close 3005 connection expired\n";

void a_plain_client_ends(void**) {
  Revoking world;
  world.settings.dialect = dialect::find("raw");
  Client ann(world);
  Client bob(world);
  Client nobody(world);
  assert_true(ann.open(world.by_token("ann", "a", {"news"})).ok());
  assert_true(bob.open(world.by_token("bob", "b", {"news"})).ok());
  nobody.open_in({"news"});
  world.recheck();
  assert_text(ann.heard(), "");
  world.revoke({.token = "a"});
  assert_text(ann.heard(), kEnd);
  assert_text(bob.heard(), "");
  world.revoke({.before = 101});
  assert_text(bob.heard(), kEnd);
  assert_text(nobody.heard(), "");
}

void a_plain_client_leaves_a_channel(void**) {
  Revoking world;
  world.settings.dialect = dialect::find("raw");
  Client ann(world);
  assert_true(ann.open(world.by_token("ann", "a", {"news", "chat"})).ok());
  world.revoke({.user = "ann", .channel = "news"});
  assert_text(ann.heard(), "");
  assert_text(ann.socket.channels(), "chat");
  world.revoke({.channel = "chat"});
  assert_text(ann.heard(), kEnd);
  assert_int_equal(world.count(Counter::revoked_subscriptions), 1);
  assert_int_equal(world.count(Counter::revoked_connections), 1);
}

void a_native_client_ends(void**) {
  Revoking world;
  Talker ann(world, world.by_token("ann", "a"));
  Client pending(world);
  assert_true(pending.open(world.by_token("ann", "b")).ok());
  world.revoke({.user = "bob"});
  assert_text(ann.heard(), "");
  world.revoke({.user = "ann"});
  assert_text(ann.heard(), kNativeEnd);
  assert_text(pending.heard(), kNativeEnd);
  assert_int_equal(world.count(Counter::revoked_connections), 2);
}

void a_native_client_leaves_a_channel_and_may_not_return(void**) {
  Revoking world;
  Talker ann(world, world.by_token("ann", "a"));
  ann.ask(R"("subscribe":{"channel":"news"})");
  ann.ask(R"("subscribe":{"channel":"chat"})");
  world.revoke({.channel = "news"});
  assert_text(ann.heard(),
              R"(text {"push":{"channel":"news","unsubscribe":{"code":2501,)"
              R"("reason":"the token was revoked"}}})"
              "\n");
  assert_text(ann.socket.channels(), "chat");
  assert_int_equal(world.count(Counter::revoked_subscriptions), 1);
  assert_int_equal(world.count(Counter::revoked_connections), 0);
  assert_text(ann.ask(R"("subscribe":{"channel":"news"})"),
              R"("error":{"code":103,"message":"permission denied"})");
}

void where_one_had_no_room_no_token_lets_in(void**) {
  Revoking world;
  Talker ann(world, world.by_token("ann", "a"));
  const std::string subscribe =
      R"("subscribe":{"channel":"news","token":")" +
      token(R"({"sub":"ann","channel":"news","jti":"c"})") + R"("})";
  const std::int64_t now = world.clock.unix_seconds();
  const auto until = static_cast<std::uint32_t>(now + 1000);
  for (int i = 0; world.all.complete(); ++i) {
    (void)world.all.add({.token = std::to_string(i), .until = until}, now);
  }
  assert_true(ann.ask(subscribe).starts_with(R"("error":{"code":100,)"));
  world.all.set_complete();
  assert_true(ann.ask(subscribe).starts_with(R"("subscribe":)"));
}

void a_channels_token_is_its_own(void**) {
  Revoking world;
  Talker ann(world, world.by_token("ann", "a"));
  const std::string own =
      token(R"({"sub":"ann","channel":"news","jti":"c","iat":1})");
  const std::string subscribe =
      R"("subscribe":{"channel":"news","token":")" + own + R"("})";
  assert_true(ann.ask(subscribe).starts_with(R"("subscribe":)"));
  ann.ask(R"("subscribe":{"channel":"chat"})");
  world.revoke({.token = "c"});
  assert_text(ann.socket.channels(), "chat");
  ann.heard();
  assert_text(ann.ask(subscribe),
              R"("error":{"code":109,"message":"token expired"})");
}

void a_token_that_is_shown_is_looked_up(void**) {
  Revoking world;
  world.revoke({.token = "c", .before = 50});
  for (const bool old : {true, false}) {
    Client client(world);
    Admission admission;
    admission.admitted = false;
    assert_true(client.open(admission).ok());
    const std::string one =
        token(std::string(R"({"sub":"ann","jti":"c","iat":)") +
              (old ? "49" : "50") + "}");
    client.text(R"({"id":1,"connect":{"token":")" + one + R"("}})");
    const std::string reply = client.heard();
    assert_true((reply.find(R"("code":109)") != std::string::npos) == old);
    if (old) continue;
    world.revoke({.token = "c", .before = 51});
    assert_text(client.heard(), kNativeEnd);
  }
}

void renewal_is_by_the_new_token(void**) {
  Revoking world;
  Talker ann(world, world.by_token("ann", "old"));
  const std::string renewed =
      ann.ask(R"("refresh":{"token":")" +
              token(R"({"sub":"ann","jti":"new"})") + R"("})");
  assert_true(renewed.starts_with(R"("refresh":)"));
  world.revoke({.token = "old"});
  assert_text(ann.heard(), "");
  const std::string refused =
      ann.ask(R"("refresh":{"token":")" +
              token(R"({"sub":"ann","jti":"old"})") + R"("})");
  assert_true(refused.find(R"("code":109)") != std::string::npos);
  world.revoke({.token = "new"});
  assert_text(ann.heard(), kNativeEnd);
}

// ---- opaque tokens ---------------------------------------------------------

/// All tokens are of the user "ann"; their standing is as a test says.
class FakeStore final : public auth::TokenStore {
 public:
  Result<auth::Token, auth::TokenError> find(Bytes, Bytes token,
                                             const auth::TokenRules&) override {
    if (refusal) return *refusal;
    auth::Token made;
    made.user = "ann";
    made.channel = "news";
    assert_true(made.grants.add_channel("news"));
    made.grants.add_scope(auth::Scope::subscribe);
    made.opaque = token.size();
    return made;
  }
  auth::OpaqueTable::Standing keep(std::uint64_t number) override {
    kept.append(std::to_string(number)).append(";");
    return standing;
  }

  std::optional<auth::TokenError> refusal;
  auth::OpaqueTable::Standing standing = auth::OpaqueTable::Standing::good;
  std::string kept;
};

struct Opaque : Revoking {
  using Standing = auth::OpaqueTable::Standing;

  Opaque() {
    context.tokens = &store;
    settings.opaque = &token_rules;
  }
  void turns_out(Standing standing) {
    store.standing = standing;
    recheck();
  }
  Admission admission() {
    Admission made = by_token("ann", "", {"news"});
    made.mark = {.id = 9, .issued = 100, .known = true, .opaque = true};
    return made;
  }

  FakeStore store;
};

constexpr const char* kExpired = "close 3005 the token has expired\n";

void what_is_open_keeps_its_token(void**) {
  Opaque world;
  world.settings.dialect = dialect::find("raw");
  Client ann(world);
  Client bob(world);
  assert_true(ann.open(world.admission()).ok());
  assert_true(bob.open(world.by_token("bob", "b", {"news"})).ok());
  world.recheck();
  assert_text(world.store.kept, "9;");
  assert_text(ann.heard(), "");
  world.turns_out(Opaque::Standing::ended);
  assert_text(ann.heard(), kEnd);
  assert_text(bob.heard(), "");
}

void what_expires_ends_unless_it_only_admits(void**) {
  for (const bool only_admits : {false, true}) {
    Opaque world;
    world.settings.dialect = dialect::find("raw");
    world.settings.tokens_only_admit = only_admits;
    Client ann(world);
    assert_true(ann.open(world.admission()).ok());
    world.turns_out(Opaque::Standing::unknown);
    assert_text(ann.heard(), only_admits ? "" : kExpired);
    if (!only_admits) continue;
    world.turns_out(Opaque::Standing::ended);
    assert_text(ann.heard(), kEnd);
  }
}

void a_revoked_one_isnt_kept(void**) {
  Opaque world;
  world.settings.dialect = dialect::find("raw");
  Client ann(world);
  assert_true(ann.open(world.admission()).ok());
  world.revoke({.user = "ann"});
  assert_text(ann.heard(), kEnd);
  assert_text(world.store.kept, "");
}

void natively_it_is_shown_in_a_command(void**) {
  Opaque world;
  Client ann(world);
  Admission admission;
  admission.admitted = false;
  assert_true(ann.open(admission).ok());
  ann.text(R"({"id":1,"connect":{"token":"pbo_7"}})");
  assert_true(ann.heard().starts_with(R"(text {"id":1,"connect":)"));
  assert_text(world.store.kept, "5;");
  world.turns_out(Opaque::Standing::ended);
  assert_text(ann.heard(), kNativeEnd);
}

void of_a_channel_it_ends_that_alone(void**) {
  Opaque world;
  Talker ann(world, world.by_token("ann", "a"));
  assert_true(ann.ask(R"("subscribe":{"channel":"news","token":"pbo_78"})")
                  .starts_with(R"("subscribe":)"));
  ann.ask(R"("subscribe":{"channel":"chat"})");
  world.store.kept.clear();
  world.recheck();
  assert_text(world.store.kept, "6;");
  world.turns_out(Opaque::Standing::unknown);
  assert_text(ann.heard(),
              R"(text {"push":{"channel":"news","unsubscribe":{"code":2501,)"
              R"("reason":"the token has expired"}}})"
              "\n");
  assert_text(ann.socket.channels(), "chat");
}

void guesses_end_the_connection(void**) {
  Opaque world;
  world.settings.max_bad_tokens = 2;
  world.store.refusal = auth::TokenError::unknown;
  Client ann(world);
  Admission admission;
  admission.admitted = false;
  assert_true(ann.open(admission).ok());
  for (int i = 0; i < 2; ++i) {
    ann.text(R"({"id":1,"connect":{"token":"pbo_"}})");
    assert_true(ann.heard().find(R"("code":109)") != std::string::npos);
  }
  ann.text(R"({"id":1,"connect":{"token":"pbo_"}})");
  assert_true(ann.heard().find("close 3013") != std::string::npos);
  assert_text(world.store.kept, "");
}

void where_none_is_taken_it_is_no_token(void**) {
  Opaque world;
  world.settings.opaque = nullptr;
  Client ann(world);
  assert_true(ann.open({}).ok());
  ann.text(R"({"id":1,"connect":{"token":"pbo_7"}})");
  assert_text(ann.heard(), "close 3500 invalid token\n");
}

}  // namespace
}  // namespace paperboy::session

int main() {
  using namespace paperboy::session;
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_plain_client_ends),
      cmocka_unit_test(a_plain_client_leaves_a_channel),
      cmocka_unit_test(a_native_client_ends),
      cmocka_unit_test(a_native_client_leaves_a_channel_and_may_not_return),
      cmocka_unit_test(where_one_had_no_room_no_token_lets_in),
      cmocka_unit_test(a_channels_token_is_its_own),
      cmocka_unit_test(a_token_that_is_shown_is_looked_up),
      cmocka_unit_test(renewal_is_by_the_new_token),
      cmocka_unit_test(what_is_open_keeps_its_token),
      cmocka_unit_test(what_expires_ends_unless_it_only_admits),
      cmocka_unit_test(a_revoked_one_isnt_kept),
      cmocka_unit_test(natively_it_is_shown_in_a_command),
      cmocka_unit_test(of_a_channel_it_ends_that_alone),
      cmocka_unit_test(guesses_end_the_connection),
      cmocka_unit_test(where_none_is_taken_it_is_no_token),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
