// What a back end has said of a client, against the tokens of its commands.
#include "auth/jwt_sign.hpp"
#include "session/conversation.hpp"
#include "session/talk.hpp"

namespace paperboy::session {
namespace {

constexpr Bytes kSecret = "a secret of thirty-two bytes, ok";

auth::KeySet keys_of(Bytes secret) {
  auth::KeySet keys;
  auto key = auth::Key::load(auth::Algorithm::hs256, secret);
  assert_true(key.ok() && keys.add(std::move(*key)).ok());
  return keys;
}

struct Court : Talk {
  Court() { settings.issuers = &issuers; }
  auth::KeySet keys = keys_of(kSecret);
  auth::TokenRules token_rules;
  auth::Issuers issuers{keys, token_rules};
};

/// A command that shows a token for all channels.
std::string show(Bytes command, Bytes user) {
  const std::string claims = R"({"channels":["*","z"],"info":1,"sub":")" +
                             std::string(user) + R"(","exp":1900000000})";
  return R"({"id":1,")" + std::string(command) + R"(":{"token":")" +
         *auth::sign(auth::Algorithm::hs256, kSecret, claims) + R"("}})";
}

Admission ruled(Ruling ruling) {
  Admission admission;
  admission.admitted = false;
  admission.ruling = std::move(ruling);
  return admission;
}

Ruling only_a() {
  Ruling ruling;
  ruling.grants.emplace();
  assert_true(ruling.grants->add(auth::Scope::subscribe, "a", true));
  ruling.subscriptions.push_back({"a", {}});
  return ruling;
}

bool has(const std::string& text, Bytes part) {
  return text.find(part) != std::string::npos;
}

std::string connected(Client& client, const Admission& admission, Bytes user) {
  assert_true(client.open(admission).ok());
  client.text(show("connect", user));
  return client.heard();
}

std::string subscribed(Client& client, const std::string& channel) {
  client.text(R"({"id":2,"subscribe":{"channel":")" + channel + "\"}}");
  return client.heard();
}

void without_a_word_of_it_the_token_says_what_it_may(void**) {
  Court world;
  Client client(world);
  assert_true(has(connected(client, ruled({}), "ann"), R"("subs":{"z")"));
  assert_true(has(subscribed(client, "b"), R"("subscribe":)"));
  assert_true(client.socket.user() == "ann");
}

void a_token_grants_no_more(void**) {
  Court world;
  Client client(world);
  assert_true(has(connected(client, ruled(only_a()), "ann"), R"("subs":{"a")"));
  assert_true(has(subscribed(client, "b"), R"("code":103)"));
  client.text(show("refresh", "ann"));
  assert_true(has(client.heard(), R"("refresh":)"));
  assert_true(has(subscribed(client, "b"), R"("code":103)"));
}

void a_token_names_nobody_else(void**) {
  Court world;
  Client client(world);
  Ruling ruling;
  ruling.user = "bob";
  (void)connected(client, ruled(ruling), "ann");
  assert_true(client.socket.user() == "bob");
  client.text(show("refresh", "ann"));
  assert_text(client.heard(), "close 3500 invalid token\n");
}

void a_token_gives_no_more_time(void**) {
  Court world;
  Client client(world);
  Ruling ruling;
  ruling.expires = world.clock.unix_seconds() + 3;
  (void)connected(client, ruled(ruling), "ann");
  client.text(show("refresh", "ann"));
  assert_true(has(client.heard(), R"("refresh":)"));
  world.pass(4'200);
  assert_text(client.heard(), "close 3005 connection expired\n");
}

/// The same with limits.
std::string show_limits(Bytes command, Bytes limits) {
  const std::string claims =
      R"({"sub":"ann","exp":1900000000,"limits":)" + std::string(limits) + "}";
  return R"({"id":1,")" + std::string(command) + R"(":{"token":")" +
         *auth::sign(auth::Algorithm::hs256, kSecret, claims) + R"("}})";
}

void the_stricter_of_token_and_back_end_holds(void**) {
  Court world;
  world.token_rules.limits_claim = "limits";
  Client client(world);
  Ruling ruling;
  ruling.limits = {.connections = 3, .messages = {.number = 2}, .bytes = {}};
  assert_true(client.open(ruled(ruling)).ok());
  client.text(show_limits("connect", R"({"connections":2,"messages":5})"));
  assert_int_equal(client.transport.allowed.connections, 2);
  assert_int_equal(client.transport.allowed.messages.number, 2);
  client.text(show_limits("refresh", R"({"messages":1})"));
  assert_true(has(client.heard(), R"("refresh":)"));
  assert_int_equal(client.transport.allowed.connections, 3);
  assert_int_equal(client.transport.allowed.messages.number, 1);
  client.transport.allows = false;
  client.text(show_limits("refresh", R"({"connections":1})"));
  assert_text(client.heard(), "close 3504 connection limit\n");
}

void limits_that_are_none_refuse_a_token(void**) {
  Court world;
  world.token_rules.limits_claim = "limits";
  Client client(world);
  assert_true(client.open(ruled({})).ok());
  client.text(show_limits("connect", R"({"messages":"fast"})"));
  assert_text(client.heard(), "close 3500 invalid token\n");
}

}  // namespace
}  // namespace paperboy::session

int main() {
  using namespace paperboy::session;
  const CMUnitTest tests[] = {
      cmocka_unit_test(without_a_word_of_it_the_token_says_what_it_may),
      cmocka_unit_test(a_token_grants_no_more),
      cmocka_unit_test(a_token_names_nobody_else),
      cmocka_unit_test(a_token_gives_no_more_time),
      cmocka_unit_test(the_stricter_of_token_and_back_end_holds),
      cmocka_unit_test(limits_that_are_none_refuse_a_token),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
