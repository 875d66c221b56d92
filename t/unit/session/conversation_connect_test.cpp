// How a conversation begins where the server subscribes its client.
#include "session/conversation.hpp"

#include "session/talk.hpp"

namespace paperboy::session {
namespace {

Admission in_news_and_sport() {
  Admission admission;
  admission.channels = {"news", "sport"};
  return admission;
}

Talk& with_history(Talk& world) {
  hub::Rule rule;
  rule.keep.count = 10;
  world.rule("news", rule);
  return world;
}

constexpr const char* kBack =
    R"({"news":{"recover":true,"epoch":"7","offset":1}})";

void who_comes_back_gets_what_it_missed_with_the_reply(void**) {
  Talk world;
  with_history(world);
  for (const char* data : {"1", "2"}) world.publish("news", data);
  const Talker client(world, in_news_and_sport(), kBack);
  assert_true(Bytes(client.connected)
                  .ends_with(R"("subs":{"news":{"epoch":"7","offset":2,)"
                             R"("recoverable":true,"positioned":true,)"
                             R"("was_recovering":true,"recovered":true,)"
                             R"("publications":[{"data":2,"offset":2}]},)"
                             R"("sport":{"epoch":"7","offset":0,)"
                             R"("recoverable":true,"positioned":true}}}})"
                             "\n"));
}

void the_reply_waits_for_all(void**) {
  Talk world;
  with_history(world);
  for (const char* data : {"1", "2"}) world.publish("news", data);
  world.broker.hold_replies = true;
  Client client(world);
  assert_true(client.open(in_news_and_sport()).ok());
  client.text(std::string(R"({"id":1,"connect":{"subs":)") + kBack + "}}");
  assert_text(client.heard(), "");
  world.broker.answer_held();
  client.flush();
  assert_true(client.heard().find(R"("publications":[{"data":2,)") !=
              std::string::npos);
}

void other_channels_of_its_past_are_passed_over(void**) {
  Talk world;
  const Talker client(world, in_news_and_sport(),
                      R"({"chat":{"recover":true,"epoch":"7","offset":1}})");
  assert_true(client.connected.find("was_recovering") == std::string::npos);
  assert_true(client.connected.find("chat") == std::string::npos);
}

void a_client_that_leaves_meanwhile_is_not_answered(void**) {
  Talk world;
  with_history(world);
  for (const char* data : {"1", "2"}) world.publish("news", data);
  world.broker.hold_replies = true;
  {
    Client client(world);
    assert_true(client.open(in_news_and_sport()).ok());
    client.text(std::string(R"({"id":1,"connect":{"subs":)") + kBack + "}}");
  }
  world.broker.answer_held();
  assert_int_equal(world.broker.subscribers(), 0);
}

// ---- rules -----------------------------------------------------------------

hub::Rule for_whom(hub::Access who) {
  hub::Rule rule;
  rule.subscribe = who;
  return rule;
}

std::string answer_to_connect(World& world, const Admission& admission) {
  Client client(world);
  assert_true(client.open(admission).ok());
  client.text(R"({"id":1,"connect":{}})");
  return client.heard();
}

constexpr const char* kDenied = "close 3507 permission denied\n";

void a_rule_holds_for_the_channels_of_the_location(void**) {
  Talk world;
  world.rule("closed", for_whom(hub::Access::nobody));
  world.rule("token", for_whom(hub::Access::token));
  world.rule("open", for_whom(hub::Access::any));
  Admission bare;
  Admission bearer;
  bearer.grants.emplace().add_scope(auth::Scope::subscribe);
  const auto enter = [&](Admission admission, const char* channel) {
    admission.channels = {channel};
    return answer_to_connect(world, admission);
  };
  assert_text(enter(bare, "closed"), kDenied);
  assert_text(enter(bearer, "closed"), kDenied);
  assert_text(enter(bare, "token"), kDenied);
  assert_string_not_equal(enter(bearer, "token").c_str(), kDenied);
  bearer.grants->name_channels();
  assert_text(enter(bearer, "other"), kDenied);
  assert_string_not_equal(enter(bearer, "open").c_str(), kDenied);
  assert_string_not_equal(enter(bare, "other").c_str(), kDenied);
  assert_int_equal(world.broker.subscribers(), 0);
}

void a_token_does_not_open_what_a_rule_closes(void**) {
  Talk world;
  world.rule("closed", for_whom(hub::Access::nobody));
  Admission admission;
  admission.grants = auth::Grants::everything();
  admission.subscriptions = {{"closed", {}}, {"news", {}}};
  const std::string heard = answer_to_connect(world, admission);
  assert_true(heard.find(R"("subs":{"news":)") != std::string::npos);
}

}  // namespace
}  // namespace paperboy::session

int main() {
  using namespace paperboy::session;
  const CMUnitTest tests[] = {
      cmocka_unit_test(who_comes_back_gets_what_it_missed_with_the_reply),
      cmocka_unit_test(the_reply_waits_for_all),
      cmocka_unit_test(other_channels_of_its_past_are_passed_over),
      cmocka_unit_test(a_client_that_leaves_meanwhile_is_not_answered),
      cmocka_unit_test(a_rule_holds_for_the_channels_of_the_location),
      cmocka_unit_test(a_token_does_not_open_what_a_rule_closes),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
