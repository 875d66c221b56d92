// What becomes of a client that its warden limits.
#include "session/warden.hpp"

#include "session/talk.hpp"

namespace paperboy::session {
namespace {

using Verdict = Warden::Verdict;

class FakeWarden final : public Warden {
 public:
  Verdict message() override {
    ++messages;
    if (messages <= passing) return Verdict::passes;
    return messages <= passing + refusing ? Verdict::refused : Verdict::ends;
  }
  bool bytes(std::size_t number) override { return (total += number) <= most; }
  bool is_user(Bytes user) override {
    users.append(user).append("\n");
    return admits;
  }
  [[nodiscard]] auth::Allowance allowance() const override { return allowed; }
  void bad_token() override { ++bad_tokens; }

  int messages = 0;
  int passing = 1000;
  int refusing = 0;
  std::size_t total = 0;
  std::size_t most = 1'000'000;
  bool admits = true;
  auth::Allowance allowed;
  std::string users;
  int bad_tokens = 0;
};

struct Limited : Client {
  explicit Limited(World& world) : Client(world) { transport.limits = &warden; }

  FakeWarden warden;
};

void commands_over_the_rate_are_answered(void**) {
  Talk world;
  Limited client(world);
  assert_true(client.open({}).ok());
  client.warden.passing = 2;
  client.warden.refusing = 2;
  client.text(
      "{\"id\":1,\"connect\":{}}\n{\"id\":2,\"ping\":{}}\n"
      "{\"id\":3,\"subscribe\":{\"channel\":\"a\"}}\n{}\n"
      "{\"id\":4,\"publish\":{\"channel\":\"a\",\"data\":1}}");
  const std::string heard = client.heard();
  const Bytes error =
      R"(,"error":{"code":111,"message":"too many requests","temporary":true}})";
  for (const char* id : {"3", "4"}) {
    const std::string answer = std::string("{\"id\":") + id;
    assert_true(heard.find(answer + std::string(error)) != std::string::npos);
  }
  assert_int_equal(world.count(Counter::publications), 0);
  assert_int_equal(world.count(Counter::subscriptions), 0);
  client.text("{\"id\":5,\"ping\":{}}");
  assert_text(client.heard(), "close 3013 too many requests\n");
}

void a_pong_is_no_command(void**) {
  Talk world;
  Limited client(world);
  assert_true(client.open({}).ok());
  client.text("{\"id\":1,\"connect\":{}}");
  client.text("{}");
  assert_int_equal(client.warden.messages, 1);
}

void where_nothing_is_answered_it_ends(void**) {
  World world;
  world.settings.client_publish = true;
  Limited client(world);
  client.open_in({"a"});
  client.warden.passing = 1;
  client.warden.refusing = 9;
  client.text("x");
  assert_int_equal(world.count(Counter::publications), 1);
  client.text("y");
  assert_int_equal(world.count(Counter::publications), 1);
  assert_ended(client, 3013, Summary::Side::server, "too many requests");
}

void classic_has_no_answer_either(void**) {
  World world;
  world.settings.dialect = dialect::find("classic");
  Limited client(world);
  assert_true(client.open({}).ok());
  client.warden.passing = 0;
  client.warden.refusing = 9;
  client.text("token");
  assert_text(client.heard(), "close 3013 too many requests\n");
}

void too_many_bytes_end_it(void**) {
  World world;
  Limited client(world);
  client.open_in({"a"});
  client.warden.most = 20;
  client.ping("0123456");
  assert_text(client.heard(), "pong 0123456\n");
  client.ping("0123456");
  assert_text(client.heard(), "close 3013 too many requests\n");
  assert_true(client.transport.finishing);
  client.ping("0123456");
  assert_text(client.heard(), "");
}

void a_user_too_many_isnt_connected(void**) {
  Talk world;
  Limited client(world);
  Admission admission;
  admission.user = "ann";
  assert_true(client.open(admission).ok());
  client.warden.admits = false;
  client.text("{\"id\":1,\"connect\":{}}");
  assert_text(client.heard(), "close 3504 connection limit\n");
  assert_text(client.warden.users, "ann\n");
  assert_int_equal(world.count(Counter::subscriptions), 0);
}

void fewer_channels_than_the_locations(void**) {
  World world;
  Limited client(world);
  client.warden.allowed.subscriptions = 2;
  Admission admission;
  admission.channels = {"a", "b", "c"};
  const auto opened = client.open(admission);
  assert_true(!opened && opened.error().code == ErrorCode::subscription_limit);
  assert_text(std::string(opened.error().message),
              "more channels than the token allows");
  assert_int_equal(world.count(Counter::limited_subscriptions), 1);
  admission.channels.pop_back();
  assert_true(client.open(admission).ok());
}

void but_never_more(void**) {
  World world;
  world.settings.max_subscriptions = 1;
  Limited client(world);
  client.warden.allowed.subscriptions = 2;
  Admission admission;
  admission.channels = {"a", "b"};
  const auto opened = client.open(admission);
  assert_false(opened.ok());
  assert_text(std::string(opened.error().message),
              "more channels than paperboy_max_subscriptions");
}

void what_is_allowed_is_told_as_it_connects(void**) {
  Talk world;
  Client client(world);
  Admission admission;
  admission.user = "ann";
  admission.name_space = "space";
  admission.limits.messages.number = 7;
  assert_true(client.open(admission).ok());
  assert_text(client.transport.allowed_to, "");
  client.text("{\"id\":1,\"connect\":{}}");
  assert_text(client.transport.allowed_to, "space/ann\n");
  assert_int_equal(client.transport.allowed.messages.number, 7);
}

void who_is_allowed_no_more_connections_isnt_connected(void**) {
  Talk world;
  Client client(world);
  Admission admission;
  admission.limits.connections = 1;
  assert_true(client.open(admission).ok());
  client.transport.allows = false;
  client.text("{\"id\":1,\"connect\":{}}");
  assert_text(client.heard(), "close 3504 connection limit\n");
}

void where_nothing_is_said_nobody_is_asked(void**) {
  Talk world;
  Client client(world);
  assert_true(client.open({}).ok());
  client.transport.allows = false;
  client.text("{\"id\":1,\"connect\":{}}");
  assert_text(client.transport.allowed_to, "");
}

void a_bad_token_is_told(void**) {
  Talk world;
  Limited client(world);
  const auth::KeySet keys;
  const auth::TokenRules rules;
  const auth::Issuers issuers(keys, rules);
  world.settings.issuers = &issuers;
  assert_true(client.open({}).ok());
  client.text("{\"id\":1,\"connect\":{\"token\":\"x.y.z\"}}");
  assert_text(client.heard(), "close 3500 invalid token\n");
  assert_int_equal(client.warden.bad_tokens, 1);
}

void those_that_were_good_once_arent_invented(void**) {
  using auth::is_invented;
  using auth::TokenError;
  for (const auto error :
       {TokenError::missing, TokenError::expired, TokenError::not_yet_valid,
        TokenError::revoked, TokenError::no_keys, TokenError::unknown_so_far}) {
    assert_false(is_invented(error));
  }
  for (const auto error :
       {TokenError::malformed, TokenError::unknown_key, TokenError::signature,
        TokenError::algorithm, TokenError::unknown}) {
    assert_true(is_invented(error));
  }
}

}  // namespace
}  // namespace paperboy::session

int main() {
  using namespace paperboy::session;
  const CMUnitTest tests[] = {
      cmocka_unit_test(commands_over_the_rate_are_answered),
      cmocka_unit_test(a_pong_is_no_command),
      cmocka_unit_test(where_nothing_is_answered_it_ends),
      cmocka_unit_test(classic_has_no_answer_either),
      cmocka_unit_test(too_many_bytes_end_it),
      cmocka_unit_test(a_user_too_many_isnt_connected),
      cmocka_unit_test(fewer_channels_than_the_locations),
      cmocka_unit_test(but_never_more),
      cmocka_unit_test(what_is_allowed_is_told_as_it_connects),
      cmocka_unit_test(who_is_allowed_no_more_connections_isnt_connected),
      cmocka_unit_test(where_nothing_is_said_nobody_is_asked),
      cmocka_unit_test(a_bad_token_is_told),
      cmocka_unit_test(those_that_were_good_once_arent_invented),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
