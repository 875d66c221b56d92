// What one may and gets in channels, as their rules and its token say.
#include "session/conversation.hpp"

#include "session/talk.hpp"

namespace paperboy::session {
namespace {

hub::Rule keeps(std::uint32_t count) {
  hub::Rule rule;
  rule.keep.count = count;
  return rule;
}

hub::Rule knows(bool told = false) {
  hub::Rule rule;
  rule.presence = true;
  rule.join_leave = told;
  return rule;
}

/// One whose token grants `scopes` in all channels.
Admission granted(std::initializer_list<auth::Scope> scopes) {
  Admission admission;
  admission.user = "ann";
  admission.grants.emplace();
  assert_true(admission.grants->add_channel("*"));
  for (const auth::Scope scope : scopes) admission.grants->add_scope(scope);
  return admission;
}

constexpr const char* kDenied =
    R"("error":{"code":103,"message":"permission denied"})";
constexpr const char* kNotAvailable =
    R"("error":{"code":108,"message":"not available"})";

// ---- coming back -----------------------------------------------------------

void who_comes_back_gets_what_it_missed(void**) {
  Talk world;
  world.rule("news", keeps(10));
  Talker client(world);
  for (const char* data : {"1", "2", "3"}) world.publish("news", data);
  assert_text(
      client.ask(R"("subscribe":{"channel":"news","recover":true,)"
                 R"("epoch":"7","offset":1})"),
      R"("subscribe":{"epoch":"7","offset":3,"recoverable":true,)"
      R"("positioned":true,"was_recovering":true,"recovered":true,)"
      R"("publications":[{"data":2,"offset":2},{"data":3,"offset":3}]})");
  world.publish("news", "4");
  world.turn();
  assert_text(client.heard(),
              R"(text {"push":{"channel":"news","pub":{"data":4,"offset":4}}})"
              "\n");
}

void what_can_not_be_recovered_is_told(void**) {
  for (const char* where :
       {R"("epoch":"8","offset":1)", R"("epoch":"7","offset":0)",
        R"("epoch":"not ours","offset":1)", R"("epoch":"7","offset":9)"}) {
    Talk world;
    world.rule("news", keeps(1));
    Talker client(world);
    for (const char* data : {"1", "2"}) world.publish("news", data);
    assert_text(client.ask(std::string(R"("subscribe":{"channel":"news",)") +
                           R"("recover":true,)" + where + "}"),
                R"("subscribe":{"epoch":"7","offset":2,"recoverable":true,)"
                R"("positioned":true,"was_recovering":true})");
  }
}

void without_an_epoch_the_offset_counts(void**) {
  Talk world;
  world.rule("news", keeps(10));
  Talker client(world);
  world.publish("news", "1");
  const auto reply =
      client.ask(R"("subscribe":{"channel":"news","recover":true})");
  assert_true(reply.find(R"("recovered":true,"publications":[{"data":1,)") !=
              std::string::npos);
}

void more_than_one_answer_carries_is_not_recovered(void**) {
  Talk world;
  world.settings.max_history = 2;
  world.rule("news", keeps(10));
  Talker client(world);
  for (const char* data : {"1", "2", "3"}) world.publish("news", data);
  const auto reply =
      client.ask(R"("subscribe":{"channel":"news","recover":true,)"
                 R"("epoch":"7","offset":0})");
  assert_true(reply.find("recovered\":true") == std::string::npos);
}

void a_reply_of_a_broker_that_thinks_comes_before_what_follows(void**) {
  Talk world;
  world.rule("news", keeps(10));
  Talker client(world);
  world.publish("news", "1");
  world.broker.hold_replies = true;
  client.text(
      R"({"id":2,"subscribe":{"channel":"news","recover":true,"epoch":"7"}})");
  world.publish("news", "2");
  world.turn();
  assert_text(client.heard(), "");
  world.broker.answer_held();
  client.flush();
  const std::string heard = client.heard();
  assert_true(Bytes(heard).starts_with(R"(text {"id":2,"subscribe":)"));
  assert_true(heard.find(R"([{"data":1,"offset":1},{"data":2,"offset":2}])") !=
              std::string::npos);
  world.publish("news", "3");
  world.turn();
  assert_true(client.heard().find(R"("offset":3)") != std::string::npos);
}

// ---- history ---------------------------------------------------------------

void a_subscriber_reads_what_is_kept(void**) {
  Talk world;
  world.rule("news", keeps(10));
  Talker client(world);
  for (const char* data : {"1", "2", "3"}) world.publish("news", data);
  assert_text(client.ask(R"("history":{"channel":"news","limit":-1})"),
              kDenied);
  (void)client.ask(R"("subscribe":{"channel":"news"})");
  assert_text(client.ask(R"("history":{"channel":"news"})"),
              R"("history":{"publications":[],"epoch":"7","offset":3})");
  assert_text(client.ask(R"("history":{"channel":"news","limit":1,)"
                         R"("since":{"epoch":"7","offset":1}})"),
              R"("history":{"publications":[{"data":2,"offset":2}],)"
              R"("epoch":"7","offset":3})");
  assert_text(client.ask(R"("history":{"channel":"news","limit":1,)"
                         R"("since":{"epoch":"8","offset":1}})"),
              R"("error":{"code":112,"message":"unrecoverable position"})");
}

void of_a_channel_that_keeps_nothing_there_is_no_history(void**) {
  Talk world;
  Talker client(world, granted({auth::Scope::history}));
  assert_text(client.ask(R"("history":{"channel":"news","limit":1})"),
              kNotAvailable);
}

void a_history_that_is_too_large_is_an_error(void**) {
  Talk world;
  world.settings.send_buffer = 2'000;
  world.settings.max_history = 10;
  world.rule("news", keeps(10));
  Talker client(world, granted({auth::Scope::history}));
  // Of two bytes each, six when they are told.
  world.publish("news", std::string(1'500, '\x01'));
  assert_text(client.ask(R"("history":{"channel":"news","limit":10})"),
              R"("error":{"code":106,"message":"limit exceeded"})");
}

/// Three commands in one message, of which two answers fill what may wait.
void answers_to_what_came_together_have_one_limit(void**) {
  Talk world;
  world.settings.send_buffer = 2'000;
  world.rule("news", keeps(10));
  Talker client(world, granted({auth::Scope::history}));
  world.publish("news", std::string(800, '1'));
  const std::string ask = R"({"id":2,"history":{"channel":"news","limit":1}})";
  client.text(ask + "\n" + ask + "\n" + ask + "\n" + ask);
  const std::string heard = client.heard();
  assert_true(heard.ends_with("limit exceeded\"}}\n"));
  assert_true(heard.size() > 1'600 && heard.size() < 2'000);
  assert_true(Bytes(client.ask(ask.substr(8, ask.size() - 9)))
                  .starts_with(R"("history":{"publications":[{)"));
}

/// What one may get back by coming back again and again, too.
void recoveries_that_came_together_have_one_limit(void**) {
  Talk world;
  world.settings.send_buffer = 2'000;
  for (const char* channel : {"a", "b", "c"}) {
    world.rule(channel, keeps(10));
    world.publish(channel, std::string(800, '1'));
  }
  for (const bool thinks : {false, true}) {
    Talker client(world);
    world.broker.hold_replies = thinks;
    std::string commands;
    for (const char* channel : {"a", "b", "c"}) {
      commands.append(R"({"id":2,"subscribe":{"recover":true,"channel":")")
          .append(channel)
          .append("\"}}\n");
    }
    client.text(commands);
    world.broker.answer_held();
    client.flush();
    const std::string heard = client.heard();
    assert_true(heard.size() > 1'600 && heard.size() < 2'400);
    assert_true(Bytes(heard).ends_with(R"("was_recovering":true}})"
                                       "\n"));
  }
}

void where_there_are_keys_a_token_grants_the_history(void**) {
  const auth::KeySet keys;
  Talk world;
  const auth::TokenRules rules;
  const auth::Issuers issuers(keys, rules);
  world.settings.issuers = &issuers;
  world.rule("news", keeps(10));
  Talker reads(world, granted({auth::Scope::history}));
  Talker listens(world, granted({auth::Scope::subscribe}));
  assert_text(reads.ask(R"("history":{"channel":"news"})"),
              R"("history":{"publications":[],"epoch":"7","offset":0})");
  (void)listens.ask(R"("subscribe":{"channel":"news"})");
  assert_text(listens.ask(R"("history":{"channel":"news"})"), kDenied);
}

// ---- presence --------------------------------------------------------------

void who_is_there_is_asked_by_who_is_there(void**) {
  Talk world;
  world.rule("room", knows());
  Admission ann;
  ann.user = "ann";
  ann.info = R"({"color":"red"})";
  Talker client(world, ann);
  assert_text(client.ask(R"("presence":{"channel":"room"})"), kDenied);
  (void)client.ask(R"("subscribe":{"channel":"room"})");
  const std::string& id = client.client;
  assert_string_equal(
      client.ask(R"("presence":{"channel":"room"})").c_str(),
      (R"("presence":{"presence":{")" + id + R"(":{"user":"ann","client":")" +
       id + R"(","conn_info":{"color":"red"}}}})")
          .c_str());
  assert_text(client.ask(R"("presence_stats":{"channel":"room"})"),
              R"("presence_stats":{"num_clients":1,"num_users":1})");
  (void)client.ask(R"("unsubscribe":{"channel":"room"})");
  assert_int_equal(world.presence.size(), 0);
}

void where_nobody_is_known_there_is_no_presence(void**) {
  Talk world;
  Talker client(world, granted({auth::Scope::presence}));
  assert_text(client.ask(R"("presence":{"channel":"room"})"), kNotAvailable);
  assert_text(client.ask(R"("presence_stats":{"channel":"room"})"),
              kNotAvailable);
}

void who_asks_for_it_hears_who_comes_and_goes(void**) {
  Talk world;
  world.rule("room", knows(true));
  Talker hears(world);
  Talker does_not(world);
  (void)hears.ask(R"("subscribe":{"channel":"room","join_leave":true})");
  (void)does_not.ask(R"("subscribe":{"channel":"room"})");
  world.turn();
  const std::string heard = hears.heard();
  assert_true(heard.find(R"("join":{"info":{"user":"","client":")" +
                         does_not.client) != std::string::npos);
  assert_text(does_not.heard(), "");
  (void)does_not.ask(R"("unsubscribe":{"channel":"room"})");
  world.turn();
  assert_true(hears.heard().find(R"("leave":{"info":)") != std::string::npos);
}

void a_publication_says_who_made_it(void**) {
  Talk world;
  Admission ann;
  ann.user = "ann";
  Talker client(world, ann);
  (void)client.ask(R"("subscribe":{"channel":"news"})");
  (void)client.ask(R"("publish":{"channel":"news","data":1})");
  world.turn();
  assert_string_equal(
      client.heard().c_str(),
      (R"(text {"push":{"channel":"news","pub":{"data":1,"offset":1,)"
       R"("info":{"user":"ann","client":")" +
       client.client + "\"}}}}\n")
          .c_str());
}

// ---- rules -----------------------------------------------------------------

void a_rule_says_who_subscribes(void**) {
  Talk world;
  const auth::KeySet keys;
  hub::Rule rule;
  rule.subscribe = hub::Access::nobody;
  world.rule("closed", rule);
  rule.subscribe = hub::Access::any;
  world.rule("open", rule);
  rule.subscribe = hub::Access::token;
  world.rule("token", rule);
  Talker bare(world);
  Talker bearer(world, granted({auth::Scope::subscribe}));
  const auto sub = [](Talker& client, const char* channel) {
    return client
        .ask(std::string(R"("subscribe":{"channel":")") + channel + "\"}")
        .starts_with(R"("subscribe")");
  };
  assert_false(sub(bearer, "closed"));
  assert_true(sub(bearer, "token"));
  assert_false(sub(bare, "token"));
  const auth::TokenRules rules;
  const auth::Issuers issuers(keys, rules);
  world.settings.issuers = &issuers;
  assert_true(sub(bare, "open"));
  assert_false(sub(bare, "other"));
}

void a_rule_says_who_publishes(void**) {
  Talk world;
  hub::Rule rule;
  rule.publish = hub::Access::nobody;
  world.rule("closed", rule);
  rule.publish = hub::Access::any;
  world.rule("open", rule);
  rule.publish = hub::Access::token;
  world.rule("token", rule);
  world.settings.client_publish = false;
  Talker bare(world);
  Talker bearer(world, granted({auth::Scope::publish}));
  const auto pub = [](Talker& client, const char* channel) {
    return client
        .ask(std::string(R"("publish":{"data":1,"channel":")") + channel +
             "\"}")
        .starts_with(R"("publish")");
  };
  assert_false(pub(bearer, "closed"));
  assert_true(pub(bearer, "token"));
  assert_false(pub(bare, "token"));
  assert_true(pub(bare, "open"));
  assert_false(pub(bare, "other"));
}

void a_full_channel_is_a_limit(void**) {
  Talk world;
  hub::Rule rule;
  rule.max_subscribers = 1;
  world.rule("small", rule);
  Talker first(world);
  Talker second(world);
  (void)first.ask(R"("subscribe":{"channel":"small"})");
  assert_text(second.ask(R"("subscribe":{"channel":"small"})"),
              R"("error":{"code":106,"message":"limit exceeded"})");
}

}  // namespace
}  // namespace paperboy::session

int main() {
  using namespace paperboy::session;
  const CMUnitTest tests[] = {
      cmocka_unit_test(who_comes_back_gets_what_it_missed),
      cmocka_unit_test(what_can_not_be_recovered_is_told),
      cmocka_unit_test(without_an_epoch_the_offset_counts),
      cmocka_unit_test(more_than_one_answer_carries_is_not_recovered),
      cmocka_unit_test(
          a_reply_of_a_broker_that_thinks_comes_before_what_follows),
      cmocka_unit_test(a_subscriber_reads_what_is_kept),
      cmocka_unit_test(of_a_channel_that_keeps_nothing_there_is_no_history),
      cmocka_unit_test(a_history_that_is_too_large_is_an_error),
      cmocka_unit_test(answers_to_what_came_together_have_one_limit),
      cmocka_unit_test(recoveries_that_came_together_have_one_limit),
      cmocka_unit_test(where_there_are_keys_a_token_grants_the_history),
      cmocka_unit_test(who_is_there_is_asked_by_who_is_there),
      cmocka_unit_test(where_nobody_is_known_there_is_no_presence),
      cmocka_unit_test(who_asks_for_it_hears_who_comes_and_goes),
      cmocka_unit_test(a_publication_says_who_made_it),
      cmocka_unit_test(a_rule_says_who_subscribes),
      cmocka_unit_test(a_rule_says_who_publishes),
      cmocka_unit_test(a_full_channel_is_a_limit),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
