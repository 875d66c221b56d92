// A back end has its say in conversations of the classic dialect.
#include "session/liaisons.hpp"

#include <string>
#include <vector>

#include "auth/jwt_sign.hpp"
#include "base/envelope.hpp"
#include "session/conversation.hpp"
#include "session/fakes.hpp"

namespace paperboy::session {
namespace {

using Authorize = Settings::Authorize;

const std::string kSecret(64, 'k');

auth::KeySet keys_of(const std::string& secret) {
  auth::KeySet keys;
  auto key = auth::Key::load(auth::Algorithm::hs256, secret);
  assert_true(key.ok() && keys.add(std::move(*key)).ok());
  return keys;
}

struct TestBackEnd final : hub::BackEnd {
  void ask(Bytes client, Bytes token) override {
    clients.emplace_back(client);
    tokens.emplace_back(token);
  }
  [[nodiscard]] Bytes name_space() const override { return of; }

  std::vector<std::string> clients;
  std::vector<std::string> tokens;
  std::string of;
};

struct Scene : World {
  Scene() {
    settings.dialect = dialect::find("classic");
    settings.authorize = Authorize::back_end;
    settings.issuers = &issuers;
    settings.tokens_only_admit = true;
    token_rules.user_claims = {"userId"};
    token_rules.channel_claims = {"channel"};
    liaisons.set_back_end(&back_end);
    assert_true(liaisons.listen().ok());
  }

  void authorized(const std::string& client, const std::string& channel,
                  const std::string& user = "ann") {
    liaisons.tell({.kind = hub::Notice::Kind::authorized,
                   .name_space = back_end.of,
                   .client = client,
                   .user = user,
                   .channel = channel});
    turn();
  }
  void closed(const std::string& channel, const std::string& user = "ann") {
    liaisons.tell({.kind = hub::Notice::Kind::closed,
                   .name_space = back_end.of,
                   .user = user,
                   .channel = channel});
    turn();
  }
  /// Of something that is at `offset`.
  void copy(const std::string& user, const std::string& channel,
            std::uint64_t offset, const std::string& data) {
    liaisons.tell({.kind = hub::Notice::Kind::copy,
                   .name_space = back_end.of,
                   .user = user,
                   .channel = channel,
                   .position = {7, offset},
                   .data = data,
                   .extra = envelope(data)});
    turn();
  }
  /// As the taker publishes it.
  void publish(const std::string& key, const std::string& data) {
    const std::string extra = envelope(data);
    hub.publish({.channel = key, .data = data, .extra = extra},
                [](const auto&) {});
    turn();
  }
  void to_user(const std::string& data, Bytes user = "ann") {
    publish(hub::user_channel(back_end.of, user), data);
  }

  static std::string envelope(const std::string& data) {
    const std::string text = "{" + data + "}";
    return make_envelope(text, Bytes(text).substr(1, data.size()));
  }

  TestBackEnd back_end;
  auth::KeySet keys = keys_of(kSecret);
  auth::TokenRules token_rules;
  auth::Issuers issuers{keys, token_rules};
};

struct Visitor : Client {
  explicit Visitor(Scene& scene, const Admission& admission = {})
      : Client(scene), scene(scene) {
    assert_true(open(admission).ok());
  }
  /// Asks, and is let in: its id.
  std::string enter(const std::string& channel,
                    const std::string& user = "ann") {
    text("token");
    const std::string id = scene.back_end.clients.back();
    scene.authorized(id, channel, user);
    return id;
  }

  Scene& scene;
};

std::string token(const std::string& claims) {
  return *auth::sign(auth::Algorithm::hs256, kSecret,
                     R"({"exp":1800000000,)" + claims + "}");
}

void what_its_user_is_sent_ends_with_its_last_token(void**) {
  Scene scene;
  scene.settings.authorize = Authorize::edge;
  scene.settings.tokens_only_admit = false;
  Visitor client(scene);
  const auto show = [&](Bytes channel, int seconds) {
    const auto end = scene.clock.unix_seconds() + seconds;
    client.text(*auth::sign(auth::Algorithm::hs256, kSecret,
                            R"({"userId":"ann","channel":")" +
                                std::string(channel) + R"(","exp":)" +
                                std::to_string(end) + "}"));
  };
  show("news", 2);
  show("chat", 4);
  assert_text(client.heard(), "text subscribed:news\ntext subscribed:chat\n");
  scene.pass(2'200);
  assert_text(client.socket.channels(), "chat");
  scene.to_user("1");
  assert_text(client.heard(), "text {1}\n");
  client.text("unsubscribe:chat");
  scene.pass(2'200);
  assert_text(client.heard(), "");
  scene.to_user("2");
  assert_text(client.heard(), "");
  show("news", 9);
  assert_text(client.heard(), "text subscribed:news\n");
  scene.to_user("3");
  assert_text(client.heard(), "text {3}\n");
}

void a_back_end_is_asked_and_lets_in(void**) {
  Scene scene;
  Visitor client(scene);
  client.text("a.b.c");
  assert_int_equal(scene.back_end.clients.size(), 1);
  assert_string_equal(scene.back_end.tokens[0].c_str(), "a.b.c");
  const std::string id = scene.back_end.clients[0];
  assert_true(parse_uuid(id).has_value());
  assert_int_equal(id[14], '4');
  scene.publish("news", "0");
  assert_text(client.heard(), "");
  scene.authorized(id, "news");
  assert_text(client.heard(), "text subscribed:news\n");
  assert_true(client.socket.user() == "ann");
  scene.publish("news", "1");
  scene.to_user("2");
  assert_text(client.heard(), "text {1}\ntext {2}\n");
  assert_true(client.socket.channels() == "news");
  assert_int_equal(scene.count(Counter::subscriptions), 1);
}

void authorized_for_no_channel_it_hears_its_user(void**) {
  Scene scene;
  Visitor client(scene);
  client.enter("");
  assert_text(client.heard(), "");
  scene.to_user("1");
  scene.to_user("2", "bob");
  assert_text(client.heard(), "text {1}\n");
  scene.pass(6000);
  assert_false(client.socket.closing());
}

void one_that_is_never_authorized_is_closed(void**) {
  Scene scene;
  Visitor client(scene);
  client.text("a.b.c");
  scene.pass(5100);
  assert_text(client.heard(), "close 3502 stale\n");
}

void a_confirmation_is_repeated(void**) {
  Scene scene;
  Visitor client(scene);
  const std::string id = client.enter("news");
  scene.authorized(id, "news");
  scene.authorized(id, "sport");
  assert_text(client.heard(),
              "text subscribed:news\ntext subscribed:news\n"
              "text subscribed:sport\n");
  scene.publish("news", "1");
  assert_text(client.heard(), "text {1}\n");
}

void notices_for_others_are_passed_over(void**) {
  Scene scene;
  Visitor client(scene);
  client.text("token");
  for (const char* const id : {"", "x", "00000000-0000-4000-8000-000000000000",
                               "00000000000040008000000000000000"}) {
    scene.authorized(id, "news");
  }
  scene.liaisons.tell({.kind = hub::Notice::Kind::authorized,
                       .name_space = "other",
                       .client = scene.back_end.clients[0],
                       .user = "ann",
                       .channel = "news"});
  scene.turn();
  assert_text(client.heard(), "");
  assert_int_equal(scene.count(Counter::subscriptions), 0);
}

void another_user_is_refused(void**) {
  Scene scene;
  Visitor client(scene);
  const std::string id = client.enter("news");
  (void)client.heard();
  scene.authorized(id, "sport", "bob");
  assert_text(client.heard(), "");
  assert_text(
      client.transport.refusals,
      "forbidden: the back end takes it for another user than before\n");
  scene.to_user("1", "bob");
  assert_text(client.heard(), "");
}

void a_rule_closes_a_channel_to_back_ends_too(void**) {
  Scene scene;
  hub::Rule rule;
  rule.subscribe = hub::Access::nobody;
  assert_true(scene.rules.add("closed", rule));
  Visitor client(scene);
  client.enter("closed");
  assert_text(client.heard(), "");
  assert_text(client.transport.refusals,
              "forbidden: the channel's rule doesn't let it subscribe\n");
}

void a_close_ends_it_for_all_of_the_users(void**) {
  Scene scene;
  Visitor one(scene);
  Visitor two(scene);
  Visitor bob(scene);
  one.enter("news");
  two.enter("news");
  two.enter("sport");
  bob.enter("news", "bob");
  for (Visitor* client : {&one, &two, &bob}) (void)client->heard();
  scene.closed("news");
  scene.closed("news", "nobody");
  scene.publish("news", "1");
  scene.publish("sport", "2");
  scene.to_user("3");
  assert_text(one.heard(), "text {3}\n");
  assert_text(two.heard(), "text {2}\ntext {3}\n");
  assert_text(bob.heard(), "text {1}\n");
}

/// Though all of it waits in the log.
void after_a_close_it_hears_no_more(void**) {
  Scene scene;
  Visitor client(scene);
  client.enter("news");
  (void)client.heard();
  scene.broker.bring("news", "1");
  scene.liaisons.tell({.kind = hub::Notice::Kind::closed,
                       .name_space = {},
                       .user = "ann",
                       .channel = "news"});
  scene.broker.bring("news", "2");
  assert_true(scene.hub.drain());
  scene.hub.release();
  scene.liaisons.look();
  scene.turn();
  const std::string heard = client.heard();
  assert_true(heard.find("\"payload\":1") != std::string::npos);
  assert_true(heard.find("\"payload\":2") == std::string::npos);
}

void a_client_leaves_for_itself(void**) {
  Scene scene;
  Visitor one(scene);
  Visitor two(scene);
  one.enter("news");
  two.enter("news");
  one.text("unsubscribe:news");
  scene.turn();
  (void)one.heard();
  (void)two.heard();
  scene.publish("news", "1");
  assert_text(one.heard(), "");
  assert_text(two.heard(), "text {1}\n");
}

void the_old_way_it_leaves_for_all_of_its_users(void**) {
  Scene scene;
  scene.settings.unsubscribe_user = true;
  Visitor one(scene);
  Visitor two(scene);
  Visitor bob(scene);
  one.enter("news");
  two.enter("news");
  bob.enter("news", "bob");
  for (Visitor* client : {&one, &two, &bob}) (void)client->heard();
  one.text("unsubscribe:news");
  scene.turn();
  scene.publish("news", "1");
  assert_text(one.heard(), "");
  assert_text(two.heard(), "");
  assert_text(bob.heard(), "text {1}\n");
}

void what_it_orders_for_its_user_is_bounded(void**) {
  Scene scene;
  scene.settings.unsubscribe_user = true;
  scene.settings.max_subscriptions = 2;
  Visitor one(scene);
  Visitor two(scene);
  one.enter("news");
  two.enter("news");
  for (Visitor* client : {&one, &two}) (void)client->heard();
  for (const char* const channel : {"a", "b", "news"}) {
    one.text(std::string("unsubscribe:") + channel);
    scene.turn();
  }
  scene.publish("news", "1");
  assert_text(one.heard(), "");
  assert_text(two.heard(), "text {1}\n");
  assert_text(one.transport.refusals,
              "subscription_limit: more unsubscribe: in 5 seconds than "
              "paperboy_max_subscriptions\n");
  scene.pass(5000);
  one.text("unsubscribe:news");
  scene.turn();
  scene.publish("news", "2");
  assert_text(two.heard(), "");
}

void requests_are_bounded(void**) {
  Scene scene;
  scene.settings.max_subscriptions = 2;
  Visitor client(scene);
  client.text("");
  client.text(std::string(9000, 't'));
  for (int i = 0; i < 3; ++i) client.text("token");
  assert_int_equal(scene.back_end.tokens.size(), 2);
  assert_text(client.transport.refusals,
              "unauthorized: there is no token\n"
              "too_large: the token is larger than 8 KiB\n"
              "subscription_limit: more requests in 5 seconds than "
              "paperboy_max_subscriptions\n");
  scene.authorized(scene.back_end.clients[0], "");
  scene.pass(5000);
  client.text("token");
  assert_int_equal(scene.back_end.tokens.size(), 3);
  assert_text(client.heard(), "");
}

void without_a_back_end_nobody_is_asked(void**) {
  Scene scene;
  scene.liaisons.set_back_end(nullptr);
  Visitor client(scene);
  client.text("token");
  assert_text(client.transport.refusals,
              "unavailable: there is no back end to ask\n");
  Scene other;
  other.back_end.of = "shop";
  Visitor here(other);
  here.text("token");
  assert_text(here.transport.refusals,
              "forbidden: the back end speaks of another namespace\n");
  Admission admission;
  admission.name_space = "shop";
  Visitor there(other, admission);
  there.enter("news");
  assert_text(there.heard(), "text subscribed:news\n");
  other.publish(std::string("shop\0news", 9), "1");
  other.to_user("2");
  assert_text(there.heard(), "text {1}\ntext {2}\n");
}

/// The snapshot of an application is published before the worker has obeyed.
void what_was_published_meanwhile_comes_after_the_confirmation(void**) {
  Scene scene;
  Visitor client(scene);
  client.text("token");
  const std::string id = scene.back_end.clients.back();
  scene.liaisons.tell({.kind = hub::Notice::Kind::authorized,
                       .name_space = {},
                       .client = id,
                       .user = "ann",
                       .channel = "news"});
  scene.broker.bring("news", "1");
  scene.broker.bring(hub::user_channel({}, "ann"), "2");
  scene.hub.drain();
  scene.hub.release();
  scene.liaisons.look();
  scene.copy({}, "news", 1, "1");
  scene.copy("ann", {}, 1, "2");
  assert_text(client.heard(), "text subscribed:news\ntext {1}\ntext {2}\n");
  // What lies behind where it began has come by itself.
  scene.publish("news", "3");
  scene.copy({}, "news", 2, "3");
  scene.copy("bob", {}, 1, "4");
  scene.copy({}, "other", 1, "5");
  assert_text(client.heard(), "text {3}\n");
  scene.clock.ms += Liaisons::kRecentMs;
  scene.liaisons.tick();
  scene.copy({}, "news", 1, "1");
  assert_text(client.heard(), "");
}

/// Over a network it may take a while to know where a channel stands.
void copies_wait_until_it_is_known_where_it_begins(void**) {
  Scene scene;
  Visitor client(scene);
  const std::string id = client.enter("");
  scene.broker.late = true;
  scene.broker.hold_replies = true;
  scene.broker.entry("news").top = {7, 4};
  scene.authorized(id, "news");
  scene.copy({}, "news", 4, "4");
  scene.copy({}, "news", 5, "5");
  scene.authorized(id, "news");
  assert_text(client.heard(), "");
  scene.broker.anchor("news");
  scene.broker.hold_replies = false;
  scene.broker.answer_held();
  scene.turn();
  assert_text(client.heard(), "text subscribed:news\ntext {4}\n");
  scene.publish("news", "5");
  assert_text(client.heard(), "text {5}\n");
}

void at_the_edge_the_token_decides(void**) {
  Scene scene;
  scene.settings.authorize = Authorize::edge;
  Visitor client(scene);
  client.text(token(R"("userId":"ann","channel":"news")"));
  assert_text(client.heard(), "text subscribed:news\n");
  scene.to_user("1");
  assert_text(client.heard(), "text {1}\n");
  client.text(token(R"("userId":"bob","channel":"sport")"));
  client.text(token(R"("channel":"sport")"));
  client.text(token(R"("userId":"ann")"));
  assert_text(client.heard(), "");
  assert_int_equal(scene.back_end.tokens.size(), 0);
  scene.closed("news");
  scene.publish("news", "2");
  scene.to_user("3");
  assert_text(client.heard(), "text {3}\n");
  Visitor nobody(scene);
  nobody.text(token(R"("channel":"news")"));
  assert_text(nobody.transport.refusals,
              "forbidden: the token names no user\n");
}

void the_back_end_may_hear_of_it(void**) {
  Scene scene;
  scene.settings.authorize = Authorize::edge;
  scene.settings.notify_back_end = true;
  Visitor client(scene);
  const std::string good = token(R"("userId":"ann","channel":"news")");
  client.text("bad");
  client.text(good);
  assert_int_equal(scene.back_end.tokens.size(), 1);
  assert_string_equal(scene.back_end.tokens[0].c_str(), good.c_str());
  scene.authorized(scene.back_end.clients[0], "news");
  scene.authorized(scene.back_end.clients[0], "sport");
  assert_text(client.heard(), "text subscribed:news\n");
}

void the_back_end_hears_of_who_was_let_in_alone(void**) {
  Scene scene;
  scene.settings.authorize = Authorize::edge;
  scene.settings.notify_back_end = true;
  scene.settings.max_subscriptions = 1;
  Visitor client(scene);
  const std::string good = token(R"("userId":"ann","channel":"news")");
  client.text(good);
  client.text(token(R"("userId":"ann","channel":"sport")"));
  assert_int_equal(scene.back_end.tokens.size(), 1);
  client.text(good);
  assert_int_equal(scene.back_end.tokens.size(), 1);
  assert_text(client.transport.notes,
              "doesn't tell the back end: more requests in 5 seconds than "
              "paperboy_max_subscriptions\n");
  scene.pass(5000);
  client.text(good);
  assert_int_equal(scene.back_end.tokens.size(), 2);
  assert_text(client.heard(),
              "text subscribed:news\ntext subscribed:news\n"
              "text subscribed:news\n");
}

void who_offers_our_subprotocol_hears_of_refusals(void**) {
  Scene scene;
  scene.settings.dialect = dialect::find("classic")->agreed();
  scene.settings.authorize = Authorize::edge;
  Visitor client(scene);
  client.text("bad");
  assert_text(client.heard(),
              "text {\"error\":{\"code\":101,\"message\":\"unauthorized\"}}\n");
}

void who_has_gone_is_forgotten(void**) {
  Scene scene;
  std::string id;
  {
    Visitor client(scene);
    id = client.enter("news");
    client.close(1000);
    client.flush();
  }
  scene.authorized(id, "sport");
  scene.closed("news");
  scene.copy({}, "news", 1, "1");
  assert_int_equal(scene.broker.subscribers(), 1);  // the notices'
  assert_int_equal(scene.count(Counter::subscriptions), 0);
}

void a_hole_in_what_its_user_is_sent_ends_it(void**) {
  Scene scene;
  Visitor client(scene);
  client.enter("");
  scene.to_user("1");
  scene.broker.bring_at(hub::user_channel({}, "ann"), {7, 5}, "5");
  scene.turn();
  const std::string heard = client.heard();
  assert_true(heard.find("close 3010") != std::string::npos);
}

}  // namespace
}  // namespace paperboy::session

int main() {
  using namespace paperboy::session;
  const CMUnitTest tests[] = {
      cmocka_unit_test(what_its_user_is_sent_ends_with_its_last_token),
      cmocka_unit_test(a_back_end_is_asked_and_lets_in),
      cmocka_unit_test(authorized_for_no_channel_it_hears_its_user),
      cmocka_unit_test(one_that_is_never_authorized_is_closed),
      cmocka_unit_test(a_confirmation_is_repeated),
      cmocka_unit_test(notices_for_others_are_passed_over),
      cmocka_unit_test(another_user_is_refused),
      cmocka_unit_test(a_rule_closes_a_channel_to_back_ends_too),
      cmocka_unit_test(a_close_ends_it_for_all_of_the_users),
      cmocka_unit_test(after_a_close_it_hears_no_more),
      cmocka_unit_test(a_client_leaves_for_itself),
      cmocka_unit_test(the_old_way_it_leaves_for_all_of_its_users),
      cmocka_unit_test(what_it_orders_for_its_user_is_bounded),
      cmocka_unit_test(requests_are_bounded),
      cmocka_unit_test(without_a_back_end_nobody_is_asked),
      cmocka_unit_test(
          what_was_published_meanwhile_comes_after_the_confirmation),
      cmocka_unit_test(copies_wait_until_it_is_known_where_it_begins),
      cmocka_unit_test(at_the_edge_the_token_decides),
      cmocka_unit_test(the_back_end_may_hear_of_it),
      cmocka_unit_test(the_back_end_hears_of_who_was_let_in_alone),
      cmocka_unit_test(who_offers_our_subprotocol_hears_of_refusals),
      cmocka_unit_test(who_has_gone_is_forgotten),
      cmocka_unit_test(a_hole_in_what_its_user_is_sent_ends_it),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
