#include "api/job.hpp"

#include <string>

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "hub/fakes.hpp"

#include "test.hpp"

namespace paperboy::api {
namespace {

class FakeNode final : public Node {
 public:
  void info(const InfoReply& reply) override {
    if (refusal) return reply(*refusal);
    reply(std::vector<NodeInfo>{{.uid = "u", .name = "n", .version = "P 1"},
                                {.uid = "v", .name = "m", .version = "P 2"}});
  }
  void channels(const ChannelsQuery& query,
                const ChannelsReply& reply) override {
    asked = query;
    replies.push_back(reply);
    if (!hold) answer_held();
  }
  void answer_held() {
    for (const auto& reply : std::exchange(replies, {})) {
      if (refusal) {
        reply(*refusal);
      } else {
        reply(all);
      }
    }
  }

  ActiveChannels all{1000};
  ChannelsQuery asked;
  std::optional<Error> refusal;
  bool hold = false;
  std::vector<ChannelsReply> replies;
};

class FakeTokens final : public hub::Tokens {
 public:
  void create(const hub::TokenWish& wish, const MadeReply& reply) override {
    asked.append(wish.name_space).append(" ").append(wish.claims);
    asked.append(" ").append(std::to_string(wish.seconds));
    asked += wish.sliding ? " slides;" : ";";
    if (refusal) return reply(*refusal);
    reply(hub::MadeToken{"t", "i", 1234});
  }
  void end(Bytes name_space, Bytes token, const EndReply& reply) override {
    asked.append(name_space).append(" ends ").append(token).append(";");
    if (refusal) return reply(*refusal);
    reply(token == "t");
  }

  std::string asked;
  std::optional<Error> refusal;
};

class FixedClock final : public Clock {
 public:
  [[nodiscard]] std::uint64_t monotonic_ms() const override { return 0; }
  [[nodiscard]] std::int64_t unix_seconds() const override { return 1000; }
};

struct World {
  hub::FakeBroker broker;
  hub::FakePresence presence{broker};
  hub::RuleSet rules;
  hub::Hub hub{broker, presence, rules};
  hub::Orders orders{hub};
  FixedClock clock;
  std::vector<Revocation> revoked;
  hub::Revoker revoker{hub, clock, {}, [this](const Revocation& one) {
                         revoked.push_back(one);
                       }};
  FakeTokens opaque;
  hub::Tokens* tokens = &opaque;
  FakeNode node;
  std::array<std::atomic<std::uint64_t>, kCounters> cells{};
  Counters counters{Counters::Row(cells)};
  Scope scope{"", 255, 100, 1000};
  std::string answer;

  World() {
    assert_true(rules.add("kept", {.keep = {.count = 9}}));
    assert_true(rules.add("room", {.keep = {}, .presence = true}));
  }
  /// `body` must outlive the answer.
  std::string ask(Bytes method, Bytes body) {
    answer.clear();
    auto request = read_request(method, body);
    assert_true(request.ok());
    const auto job = std::make_shared<Job>(
        Services{hub, orders, revoker, tokens, node, counters}, scope,
        std::move(*request), [this](const std::string& text) {
          assert_true(answer.empty());
          answer = text;
        });
    job->run();
    return answer;
  }
};

void assert_text(const std::string& actual, const char* expected) {
  assert_string_equal(actual.c_str(), expected);
}

void a_method_has_a_result_or_an_error(void**) {
  World world;
  assert_text(world.ask("publish", R"({"channel":"a","data":1})"),
              R"({"result":{"epoch":"7","offset":1}})");
  assert_text(world.ask("publish", R"({"channel":"","data":1})"),
              R"({"error":{"code":107,"message":"bad request"}})");
  world.broker.refusal = Error{ErrorCode::log_full, "full"};
  assert_text(world.ask("publish", R"({"channel":"a","data":1})"),
              R"({"error":{"code":100,"message":"internal server error"}})");
  assert_int_equal(
      world.cells[static_cast<std::size_t>(Counter::publish_errors)], 2);
}

constexpr Bytes kBatch =
    R"({"commands":[{"publish":{"channel":"a","data":1}},{"none":{}},)"
    R"({"broadcast":{"channels":["a","b"],"data":2}}]})";
constexpr const char* kReplies =
    R"({"replies":[{"publish":{"epoch":"7","offset":1}},)"
    R"({"error":{"code":104,"message":"method not found"}},)"
    R"({"broadcast":{"responses":[{"result":{"epoch":"7","offset":2}},)"
    R"({"result":{"epoch":"7","offset":1}}]}}]})";

void a_batch_has_its_replies_in_order(void**) {
  World world;
  assert_text(world.ask("batch", kBatch), kReplies);
}

void a_broker_may_take_its_time(void**) {
  World world;
  world.broker.hold_replies = true;
  assert_text(world.ask("batch", kBatch), "");
  assert_int_equal(world.broker.entry("a").top.offset, 1);
  world.broker.answer_held();
  assert_text(world.answer, "");
  assert_int_equal(world.broker.entry("a").top.offset, 2);
  world.broker.answer_held();
  assert_text(world.answer, kReplies);
}

void a_parallel_batch_begins_all(void**) {
  World world;
  world.broker.hold_replies = true;
  const std::string body =
      R"({"parallel":true,)" + std::string(kBatch.substr(1));
  assert_text(world.ask("batch", body), "");
  assert_int_equal(world.broker.entry("a").top.offset, 2);
  world.broker.answer_held();
  assert_text(world.answer, kReplies);
}

void the_old_form_has_lines(void**) {
  World world;
  assert_text(world.ask("", R"({"id":5,"method":"publish","params":)"
                            R"({"channel":"a","data":1}} {"method":"x"})"),
              "{\"id\":5,\"result\":{\"epoch\":\"7\",\"offset\":1}}\n"
              R"({"error":{"code":104,"message":"method not found"}})");
}

void an_order_goes_to_all_workers(void**) {
  World world;
  assert_true(world.orders.listen().ok());
  world.scope.name_space = "shop";
  assert_text(world.ask("unsubscribe", R"({"user":"ann","channel":"a"})"),
              R"({"result":{}})");
  world.hub.drain();
  const auto orders = world.orders.take();
  assert_int_equal(orders.size(), 1);
  assert_true(orders[0].name_space == "shop");
  assert_true(orders[0].channel == std::string("shop\0a", 6));
}

void reading_is_as_the_rule_says(void**) {
  World world;
  (void)world.ask("publish", R"({"channel":"kept","data":1})");
  assert_text(world.ask("history", R"({"channel":"kept","limit":5})"),
              R"({"result":{"publications":[{"data":1,"offset":1}],)"
              R"("epoch":"7","offset":1}})");
  assert_text(world.ask("history_remove", R"({"channel":"kept"})"),
              R"({"result":{}})");
  assert_text(world.ask("presence", R"({"channel":"room"})"),
              R"({"result":{"presence":{}}})");
  for (const Bytes method : {"history", "history_remove", "presence"}) {
    assert_text(world.ask(method, R"({"channel":"plain"})"),
                R"({"error":{"code":108,"message":"not available"}})");
  }
}

void channels_of_all_nodes_are_counted(void**) {
  World world;
  world.scope.name_space = "shop";
  assert_true(world.node.all.add("room:1", 2).ok());
  assert_true(world.node.all.add("a\"b", 1).ok());
  world.node.hold = true;
  assert_text(world.ask("channels", R"({"pattern":"*o*"})"), "");
  world.node.answer_held();
  assert_text(world.answer,
              R"({"result":{"channels":{"a\"b":{"num_clients":1},)"
              R"("room:1":{"num_clients":2}}}})");
  assert_true(world.node.asked.name_space == "shop");
  assert_true(world.node.asked.pattern == "*o*");
  assert_int_equal(world.node.asked.room, 1000);
  world.node.hold = false;
  world.scope.max_answer = 20;
  assert_text(world.ask("channels", "{}"),
              R"({"error":{"code":106,"message":"limit exceeded"}})");
  world.node.refusal = Error{ErrorCode::unavailable, "locked"};
  assert_text(world.ask("channels", "{}"),
              R"({"error":{"code":100,"message":"internal server error"}})");
}

void nodes_are_told_all_or_none(void**) {
  World world;
  assert_text(world.ask("info", "{}"),
              R"({"result":{"nodes":[{"uid":"u","name":"n","version":"P 1",)"
              R"("num_clients":0,"num_users":0,"num_subs":0,)"
              R"("num_channels":0,"uptime":0},)"
              R"({"uid":"v","name":"m","version":"P 2",)"
              R"("num_clients":0,"num_users":0,"num_subs":0,)"
              R"("num_channels":0,"uptime":0}]}})");
  world.node.refusal = Error{ErrorCode::unavailable, "no Redis"};
  assert_text(world.ask("info", "{}"),
              R"({"error":{"code":100,"message":"internal server error"}})");
}

void one_answer_has_room_for_so_much(void**) {
  World world;
  world.scope.max_answer = 30;
  const std::string replies =
      world.ask("batch", R"({"commands":[{"presence":{"channel":"room"}},)"
                         R"({"presence":{"channel":"room"}}]})");
  assert_text(replies, R"({"replies":[{"presence":{"presence":{}}},)"
                       R"({"presence":{"presence":{}}}]})");
  world.scope.max_answer = 20;
  assert_text(
      world.ask("batch", R"({"commands":[{"presence":{"channel":"room"}},)"
                         R"({"presence":{"channel":"room"}}]})"),
      R"({"replies":[{"presence":{"presence":{}}},)"
      R"({"error":{"code":106,"message":"limit exceeded"}}]})");
}

void what_is_to_be_revoked_goes_to_all_workers(void**) {
  World world;
  assert_true(world.revoker.listen().ok());
  world.scope.name_space = "shop";
  assert_text(world.ask("revoke", R"({"user":"ann","channel":"a"})"),
              R"({"result":{}})");
  assert_text(world.ask("revoke", R"({"jti":"t","issued_before":7,"ttl":9})"),
              R"({"result":{}})");
  while (world.hub.drain()) {
    world.revoker.look();
  }
  world.revoker.look();
  world.hub.release();
  // At once by the worker that is asked, and when it hears of it.
  assert_int_equal(world.revoked.size(), 4);
  const Revocation& user = world.revoked[0];
  assert_true(user.name_space == "shop" && user.user == "ann");
  assert_true(user.channel == Bytes("shop\0a", 6) && user.token.empty());
  assert_int_equal(user.before, 1001);
  const Revocation& token = world.revoked[1];
  assert_true(token.token == "t" && !token.user && token.channel.empty());
  assert_int_equal(token.before, 7);
  assert_int_equal(token.until, 1009);
}

void what_cant_be_revoked_is_told(void**) {
  World world;
  constexpr const char* kBad =
      R"({"error":{"code":107,"message":"bad request"}})";
  assert_text(world.ask("revoke", R"({"jti":"t"})"),
              R"({"error":{"code":100,"message":"internal server error"}})");
  assert_true(world.revoker.listen().ok());
  assert_text(world.ask("revoke", "{}"), kBad);
  assert_text(world.ask("revoke", R"({"ttl":5})"), kBad);
  assert_text(world.ask("revoke", R"({"jti":"t","ttl":86401})"), kBad);
  assert_text(world.ask("revoke", R"({"issued_before":4294967296})"), kBad);
  const std::string long_id = R"({"jti":")" + std::string(257, 'x') + R"("})";
  assert_text(world.ask("revoke", long_id), kBad);
  const std::string long_channel =
      R"({"channel":")" + std::string(256, 'x') + R"("})";
  assert_text(world.ask("revoke", long_channel), kBad);
}

void opaque_tokens_are_made_and_ended(void**) {
  World world;
  world.scope.name_space = "shop";
  assert_text(
      world.ask("token_create",
                R"({"ttl":60,"sliding":true,"user":"a\"b","channels": ["x",)"
                "\n"
                R"("y*"],"scope":"publish","info":{"n":1.50},"caps":[],)"
                R"("limits":{"connections":2,"messages":"9/s"}})"),
      R"({"result":{"token":"t","id":"i","expire_at":1234}})");
  assert_text(world.opaque.asked,
              R"(shop {"sub":"a\"b","channels":["x", "y*"],)"
              R"("scope":"publish","caps":[],"info":{"n":1.50},)"
              R"("limits":{"connections":2,"messages":"9/s"}} 60 slides;)");
  world.opaque.asked.clear();
  assert_text(world.ask("token_create", R"({"ttl":5,"channel":"x"})"),
              R"({"result":{"token":"t","id":"i","expire_at":1234}})");
  assert_text(world.opaque.asked, R"(shop {"channel":"x"} 5;)");
  world.opaque.asked.clear();
  // No claims at all are refused by who is asked.
  (void)world.ask("token_create", R"({"ttl":5,"channel":"x","limit":1})");
  assert_text(world.opaque.asked, "shop  5;");
  world.opaque.asked.clear();
  assert_text(world.ask("token_end", R"({"token":"t"})"),
              R"({"result":{"ended":true}})");
  assert_text(world.ask("token_end", R"({"id":"i"})"),
              R"({"result":{"ended":false}})");
  assert_text(world.opaque.asked, "shop ends t;shop ends i;");
  assert_text(world.ask("batch", R"({"commands":[{"token_end":{"id":"t"}}]})"),
              R"({"replies":[{"token_end":{"ended":true}}]})");
}

void what_cant_be_of_opaque_tokens_is_told(void**) {
  World world;
  constexpr const char* kBad =
      R"({"error":{"code":107,"message":"bad request"}})";
  assert_text(world.ask("token_end", "{}"), kBad);
  assert_text(world.ask("token_end", R"({"id":"a","token":"b"})"), kBad);
  assert_text(world.opaque.asked, "");
  world.opaque.refusal = Error{ErrorCode::too_large, "full"};
  constexpr const char* kFull =
      R"({"error":{"code":106,"message":"limit exceeded"}})";
  assert_text(world.ask("token_create", R"({"ttl":5})"), kFull);
  assert_text(world.ask("token_end", R"({"id":"a"})"), kFull);
  world.tokens = nullptr;
  constexpr const char* kNone =
      R"({"error":{"code":108,"message":"not available"}})";
  assert_text(world.ask("token_create", R"({"ttl":5})"), kNone);
  assert_text(world.ask("token_end", R"({"id":"a"})"), kNone);
}

}  // namespace
}  // namespace paperboy::api

int main() {
  using namespace paperboy::api;
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_method_has_a_result_or_an_error),
      cmocka_unit_test(a_batch_has_its_replies_in_order),
      cmocka_unit_test(a_broker_may_take_its_time),
      cmocka_unit_test(a_parallel_batch_begins_all),
      cmocka_unit_test(the_old_form_has_lines),
      cmocka_unit_test(an_order_goes_to_all_workers),
      cmocka_unit_test(reading_is_as_the_rule_says),
      cmocka_unit_test(channels_of_all_nodes_are_counted),
      cmocka_unit_test(nodes_are_told_all_or_none),
      cmocka_unit_test(one_answer_has_room_for_so_much),
      cmocka_unit_test(what_is_to_be_revoked_goes_to_all_workers),
      cmocka_unit_test(opaque_tokens_are_made_and_ended),
      cmocka_unit_test(what_cant_be_of_opaque_tokens_is_told),
      cmocka_unit_test(what_cant_be_revoked_is_told),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
