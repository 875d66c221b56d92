// A conversation without a command to connect: each subscription shows a token.
#include <string>

#include "auth/jwt_sign.hpp"
#include "session/conversation.hpp"
#include "session/fakes.hpp"

namespace paperboy::session {
namespace {

const std::string kSecret(64, 'k');

/// "+CHANNEL TOKEN", "+ TOKEN", "-CHANNEL", "*", "?TEXT"; the rest is publish.
class Words final : public dialect::Dialect {
 public:
  [[nodiscard]] dialect::Defaults defaults() const override { return {}; }
  [[nodiscard]] bool converses() const override { return true; }
  [[nodiscard]] bool connects() const override { return false; }
  [[nodiscard]] bool is_one_user() const override { return one_user; }
  [[nodiscard]] bool joins_replies() const override { return joins; }

  [[nodiscard]] dialect::Decoded decode(
      std::optional<dialect::Message>& rest) const override {
    if (!rest || rest->data.empty()) return dialect::NeedMore{};
    const std::size_t end = rest->data.find('\n');
    const Bytes line = rest->data.substr(0, end);
    rest->data.remove_prefix(end == Bytes::npos ? rest->data.size() : end + 1);
    const Bytes word = line.substr(1);
    switch (line[0]) {
      case '+': {
        const std::size_t space = word.find(' ');
        return dialect::Subscribe{0,
                                  std::string(word.substr(0, space)),
                                  std::string(word.substr(space + 1)),
                                  {}};
      }
      case '-':
        return dialect::Unsubscribe{0, std::string(word)};
      case '*':
        return dialect::Unsubscribe{0, {}, true};
      case '?':
        return dialect::Send{{Kind::text, word}};
      default:
        return dialect::Connect{};
    }
  }
  [[nodiscard]] dialect::Answer published(const dialect::Publish&,
                                          const Result<Position>&,
                                          std::string&) const override {
    return {};
  }
  void reply(const dialect::Outcome& outcome,
             std::string& replies) const override {
    if (const auto* const in = std::get_if<dialect::Subscribed>(&outcome)) {
      replies.append("in ").append(in->channel).append(";");
    }
  }
  [[nodiscard]] dialect::Message publication(const Publication& publication,
                                             std::string&) const override {
    return {publication.kind, publication.data};
  }

  bool one_user = true;
  bool joins = false;
};

auth::KeySet keys_of(const std::string& secret) {
  auth::KeySet keys;
  auto key = auth::Key::load(auth::Algorithm::hs256, secret);
  assert_true(key.ok() && keys.add(std::move(*key)).ok());
  return keys;
}

struct Talk : World {
  Talk() {
    settings.dialect = &words;
    settings.issuers = &issuers;
    settings.connect_timeout_ms = 2'000;
    settings.ping_interval_ms = 10'000;
    settings.ping_timeout_ms = 4'000;
    settings.tokens_only_admit = true;
  }

  void rule(Bytes pattern, hub::Access subscribe) {
    hub::Rule rule;
    rule.subscribe = subscribe;
    rule.presence = true;
    assert_true(rules.add(pattern, rule));
  }
  void bring(Bytes channel, Bytes data) {
    broker.bring(std::string(channel), data);
    turn();
  }

  Words words;
  auth::KeySet keys = keys_of(kSecret);
  auth::TokenRules token_rules;
  auth::Issuers issuers{keys, token_rules};
};

std::string token(const std::string& channel, const std::string& user = "ann",
                  const std::string& more = "") {
  const std::string claims = R"({"channel":")" + channel + R"(","sub":")" +
                             user + R"(","exp":1800000000)" + more + "}";
  return *auth::sign(auth::Algorithm::hs256, kSecret, claims);
}

struct Visitor : Client {
  explicit Visitor(World& world, const Admission& admission = {})
      : Client(world) {
    assert_true(open(admission).ok());
  }
  void enter(const std::string& channel, const std::string& with) {
    text("+" + channel + " " + with);
  }
};

void a_token_subscribes_without_a_word_before(void**) {
  Talk world;
  Visitor client(world);
  client.enter("a", token("a"));
  assert_text(client.heard(), "text in a;\n");
  assert_true(client.socket.user() == "ann");
  world.bring("a", "one");
  assert_text(client.heard(), "text one\n");
  assert_int_equal(world.count(Counter::subscriptions), 1);
}

void the_channel_may_be_the_tokens(void**) {
  Talk world;
  Visitor client(world);
  client.enter("", token("room"));
  assert_text(client.heard(), "text in room;\n");
  client.enter("", R"(x)");
  assert_text(client.heard(), "");
  assert_text(client.transport.refusals,
              "unauthorized: the token is malformed\n");
}

void the_namespace_is_the_connections(void**) {
  Talk world;
  Admission admission;
  admission.name_space = "shop";
  Visitor client(world, admission);
  client.enter("a", token("a"));
  world.bring("a", "elsewhere");
  world.bring(std::string("shop\0a", 6), "here");
  assert_text(client.heard(), "text in a;\ntext here\n");
}

void what_is_refused_is_noted_and_not_told(void**) {
  Talk world;
  world.rule("closed", hub::Access::nobody);
  Visitor client(world);
  client.enter("a", "x.y.z");
  client.enter("a", token("b"));
  client.enter("a", token("a", "ann", R"(,"scope":"publish")"));
  client.enter("closed", token("closed"));
  client.enter("a", *auth::sign(auth::Algorithm::hs256, kSecret,
                                R"({"channel":"a","exp":1700000000})"));
  client.enter(std::string(300, 'n'), token("*"));
  assert_text(client.heard(), "");
  assert_text(client.transport.refusals,
              "unauthorized: the token is malformed\n"
              "forbidden: the token doesn't allow subscribing to this channel\n"
              "forbidden: the token doesn't allow subscribing to this channel\n"
              "forbidden: the channel's rule doesn't let it subscribe\n"
              "token_expired: the token has expired\n"
              "channel_name: the channel's name is longer than "
              "paperboy_max_channel_length\n");
  assert_int_equal(world.count(Counter::refused_token), 2);
  assert_int_equal(world.count(Counter::refused_channel), 4);
  assert_int_equal(world.count(Counter::subscriptions), 0);
}

void bad_tokens_are_few_in_a_time(void**) {
  Talk world;
  world.settings.max_bad_tokens = 2;
  Visitor client(world);
  client.enter("a", "x");
  client.enter("a", token("b"));
  client.enter("a", token("a"));
  assert_text(client.heard(), "text in a;\n");
  world.clock.ms += 5'000;
  client.enter("a", "x");
  client.enter("a", "x");
  assert_text(client.heard(), "");
  client.enter("a", token("b"));
  assert_text(client.heard(), "close 3013 too many requests\n");
}

/// Knows what its transport was told last.
struct Keeper final : Warden {
  explicit Keeper(FakeTransport& told) : transport(told) {}
  Verdict message() override { return Verdict::passes; }
  bool bytes(std::size_t) override { return true; }
  bool is_user(Bytes) override { return true; }
  void bad_token() override {}
  [[nodiscard]] auth::Allowance allowance() const override {
    return transport.allowed;
  }
  FakeTransport& transport;
};

void of_all_tokens_the_strictest_limits_hold(void**) {
  Talk world;
  world.token_rules.limits_claim = "limits";
  Visitor client(world);
  const auth::Allowance& allowed = client.transport.allowed;
  client.enter("a", token("a"));
  assert_text(client.transport.allowed_to, "");
  client.enter("b", token("b", "ann", R"(,"limits":{"messages":5})"));
  assert_text(client.transport.allowed_to, "/ann\n");
  assert_int_equal(allowed.messages.number, 5);
  Keeper keeper(client.transport);
  client.transport.limits = &keeper;
  client.enter(
      "c", token("c", "ann", R"(,"limits":{"messages":9,"subscriptions":3})"));
  assert_int_equal(allowed.messages.number, 5);
  assert_int_equal(allowed.subscriptions, 3);
  client.enter("d", token("d"));
  assert_text(client.heard(), "text in a;\ntext in b;\ntext in c;\n");
  assert_text(client.transport.refusals,
              "subscription_limit: more channels than the token allows\n");
  client.transport.allows = false;
  client.enter("e", token("e", "ann", R"(,"limits":{"connections":1})"));
  assert_text(client.heard(), "close 3504 connection limit\n");
}

void without_keys_no_token_is_good(void**) {
  Talk world;
  world.settings.issuers = nullptr;
  Visitor client(world);
  client.enter("a", token("a"));
  assert_int_equal(world.count(Counter::refused_token), 1);
  assert_text(client.heard(), "");
}

void a_channel_for_all_asks_for_no_token(void**) {
  Talk world;
  world.rule("open", hub::Access::any);
  Visitor client(world);
  client.enter("open", "none");
  assert_text(client.heard(), "text in open;\n");
  client.enter("open", token("other", "bob"));
  assert_text(client.heard(), "text in open;\n");
  assert_true(client.socket.user() == "bob");
}

void who_is_nowhere_goes_in_time(void**) {
  Talk world;
  Visitor client(world);
  world.pass(1'000);
  client.text("?still here");
  client.enter("a", token("b"));
  world.pass(1'300);
  assert_text(client.heard(), "text still here\nclose 3502 stale\n");
}

void who_is_somewhere_stays(void**) {
  Talk world;
  Visitor client(world);
  client.enter("a", token("a"));
  client.text("-a");
  world.pass(9'000);
  assert_text(client.heard(), "text in a;\n");
}

void without_a_time_to_connect_it_may_take_forever(void**) {
  Talk world;
  world.settings.connect_timeout_ms = 0;
  world.settings.ping_interval_ms = 10'000'000;
  Visitor client(world);
  world.pass(1'000'000);
  assert_false(client.socket.closing());
}

void pings_begin_at_once(void**) {
  Talk world;
  world.settings.connect_timeout_ms = 0;
  Visitor client(world);
  world.pass(10'200);
  assert_text(client.heard(), "ping\n");
  world.pass(4'200);
  assert_true(client.transport.aborted);
}

void once_in_it_is_told_again_and_gets_all_once(void**) {
  Talk world;
  Visitor client(world);
  for (int i = 0; i < 2; ++i) {
    client.enter("a", token("a"));
    assert_text(client.heard(), "text in a;\n");
  }
  world.bring("a", "one");
  assert_text(client.heard(), "text one\n");
  assert_int_equal(world.count(Counter::subscriptions), 1);
}

void it_stays_the_user_that_it_is(void**) {
  Talk world;
  Visitor client(world);
  client.enter("a", token("a"));
  client.enter("b", token("b", "bob"));
  assert_text(client.heard(), "text in a;\n");
  assert_text(client.transport.refusals,
              "forbidden: the token is of another user\n");
  world.words.one_user = false;
  client.enter("b", token("b", "bob"));
  assert_text(client.heard(), "text in b;\n");
  assert_true(client.socket.user() == "ann");
}

void others_see_whose_token_let_it_in(void**) {
  Talk world;
  world.rule("a", hub::Access::location);
  Visitor client(world);
  client.enter("a", token("a"));
  std::string seen;
  world.presence.members("a", [&](const auto& members) {
    assert_true(members.ok());
    for (const MemberRecord& one : *members) seen += one.view().user;
  });
  assert_text(seen, "ann");
}

void it_leaves_one_channel_or_all(void**) {
  Talk world;
  Visitor client(world);
  for (const char* const channel : {"a", "b", "c"}) {
    client.enter(channel, token(channel));
  }
  client.text("-a\n-never");
  assert_int_equal(world.count(Counter::subscriptions), 2);
  client.text("*");
  assert_int_equal(world.count(Counter::subscriptions), 0);
  client.heard();
  client.enter("b", token("b"));
  assert_text(client.heard(), "text in b;\n");
}

void replies_leave_by_themselves_where_they_cannot_be_joined(void**) {
  Talk world;
  Visitor client(world);
  const std::string both = "+a " + token("a") + "\n?and\n+b " + token("b");
  client.text(both);
  assert_text(client.heard(), "text in a;\ntext and\ntext in b;\n");
  world.words.joins = true;
  client.text(both);
  assert_text(client.heard(), "text and\ntext in a;in b;\n");
}

void it_has_a_number_of_channels(void**) {
  Talk world;
  world.settings.max_subscriptions = 1;
  Visitor client(world);
  client.enter("a", token("a"));
  client.enter("b", token("b"));
  assert_text(client.heard(), "text in a;\n");
  assert_text(client.transport.refusals,
              "subscription_limit: more channels than "
              "paperboy_max_subscriptions\n");
  assert_false(client.socket.closing());
}

void who_is_refused_a_channel_has_no_name(void**) {
  Talk world;
  world.broker.refusal = Error{ErrorCode::unavailable, "down"};
  Visitor client(world);
  client.enter("a", token("a"));
  assert_text(client.transport.refusals, "unavailable: down\n");
  assert_true(client.socket.user().empty());
}

void a_hole_ends_the_connection(void**) {
  Talk world;
  Visitor client(world);
  client.enter("a", token("a"));
  client.heard();
  ++world.broker.entry("a").top.offset;  // never handed over
  world.bring("a", "2");
  assert_text(client.heard(),
              "close 3010 messages were lost: subscribe again\n");
}

/// Who isn't answered could not know, and would wait forever.
void where_a_channel_cannot_be_found_nobody_is_left_deaf(void**) {
  Talk world;
  world.broker.late = true;
  world.broker.hold_replies = true;
  Visitor client(world);
  client.enter("a", token("a"));
  world.broker.refusal = Error{ErrorCode::unavailable, "down"};
  world.broker.answer_held();
  client.flush();
  world.broker.refusal.reset();
  world.broker.anchor("a");
  world.bring("a", "one");
  assert_text(client.heard(), "close 1013 down\n");
}

void a_token_may_end_what_it_opened(void**) {
  Talk world;
  world.settings.tokens_only_admit = false;
  Visitor client(world);
  client.enter("a", token("a", "ann", R"(,"expire_at":1700005003)"));
  client.enter("b", token("b"));
  world.pass(2'000);
  assert_int_equal(world.count(Counter::subscriptions), 2);
  client.enter("b", token("b", "ann", R"(,"expire_at":1700005006)"));
  world.pass(2'000);
  assert_int_equal(world.count(Counter::subscriptions), 1);
  world.pass(3'000);
  assert_int_equal(world.count(Counter::subscriptions), 0);
  assert_text(client.heard(), "text in a;\ntext in b;\ntext in b;\n");
  assert_false(client.socket.closing());
}

void a_back_end_subscribes_and_unsubscribes_it(void**) {
  Talk world;
  Visitor client(world);
  client.enter("a", token("a"));
  client.heard();
  hub::Order order;
  order.user = "ann";
  order.kind = hub::Order::Kind::subscribe;
  order.channel = "b";
  client.socket.obey(order);
  world.bring("b", "one");
  order.kind = hub::Order::Kind::unsubscribe;
  client.socket.obey(order);
  world.bring("b", "two");
  assert_text(client.heard(), "text one\n");
}

void there_is_no_command_to_connect(void**) {
  Talk world;
  Visitor client(world);
  client.text("!");
  assert_text(client.heard(), "close 3501 bad request\n");
}

}  // namespace
}  // namespace paperboy::session

int main() {
  using namespace paperboy::session;
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_token_subscribes_without_a_word_before),
      cmocka_unit_test(the_channel_may_be_the_tokens),
      cmocka_unit_test(the_namespace_is_the_connections),
      cmocka_unit_test(what_is_refused_is_noted_and_not_told),
      cmocka_unit_test(bad_tokens_are_few_in_a_time),
      cmocka_unit_test(of_all_tokens_the_strictest_limits_hold),
      cmocka_unit_test(without_keys_no_token_is_good),
      cmocka_unit_test(a_channel_for_all_asks_for_no_token),
      cmocka_unit_test(who_is_nowhere_goes_in_time),
      cmocka_unit_test(who_is_somewhere_stays),
      cmocka_unit_test(without_a_time_to_connect_it_may_take_forever),
      cmocka_unit_test(pings_begin_at_once),
      cmocka_unit_test(once_in_it_is_told_again_and_gets_all_once),
      cmocka_unit_test(it_stays_the_user_that_it_is),
      cmocka_unit_test(others_see_whose_token_let_it_in),
      cmocka_unit_test(it_leaves_one_channel_or_all),
      cmocka_unit_test(replies_leave_by_themselves_where_they_cannot_be_joined),
      cmocka_unit_test(it_has_a_number_of_channels),
      cmocka_unit_test(who_is_refused_a_channel_has_no_name),
      cmocka_unit_test(a_hole_ends_the_connection),
      cmocka_unit_test(where_a_channel_cannot_be_found_nobody_is_left_deaf),
      cmocka_unit_test(a_token_may_end_what_it_opened),
      cmocka_unit_test(a_back_end_subscribes_and_unsubscribes_it),
      cmocka_unit_test(there_is_no_command_to_connect),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
