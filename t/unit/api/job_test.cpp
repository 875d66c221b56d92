#include "api/job.hpp"

#include <string>

#include <array>
#include <atomic>
#include <memory>
#include <optional>

#include "hub/fakes.hpp"

#include "test.hpp"

namespace paperboy::api {
namespace {

class FakeNode final : public Node {
 public:
  NodeInfo info() override { return {.uid = "u", .name = "n"}; }
  Result<Done> channels(Bytes prefix, std::uint64_t& cursor,
                        std::vector<ActiveChannel>& found) override {
    if (refusal) return *refusal;
    asked += std::string(prefix) + ";";
    if (cursor < all.size()) found.push_back(all[cursor]);
    cursor = cursor + 1 < all.size() ? cursor + 1 : 0;
    return Done{};
  }

  std::vector<ActiveChannel> all;
  std::string asked;
  std::optional<Error> refusal;
};

struct World {
  hub::FakeBroker broker;
  hub::FakePresence presence{broker};
  hub::RuleSet rules;
  hub::Hub hub{broker, presence, rules};
  hub::Orders orders{hub};
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
        Services{hub, orders, node, counters}, scope, std::move(*request),
        [this](const std::string& text) {
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

void channels_are_read_page_by_page(void**) {
  World world;
  world.scope.name_space = "shop";
  const auto key = [](const std::string& name) { return "shop" + name; };
  world.node.all = {{key(std::string("\0room:1", 7)), 2},
                    {key(std::string("\0room:2\0x", 9)), 1},
                    {key(std::string("\0room:3", 7)), 1}};
  assert_text(world.ask("channels", R"({"pattern":"room:*"})"),
              R"({"result":{"channels":{"room:1":{"num_clients":2},)"
              R"("room:3":{"num_clients":1}}}})");
  assert_true(Bytes(world.node.asked).starts_with(Bytes("shop\0room:;", 11)));
  world.scope.max_answer = 20;
  assert_text(world.ask("channels", "{}"),
              R"({"error":{"code":106,"message":"limit exceeded"}})");
  world.node.refusal = Error{ErrorCode::unavailable, "locked"};
  assert_text(world.ask("channels", "{}"),
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
      cmocka_unit_test(channels_are_read_page_by_page),
      cmocka_unit_test(one_answer_has_room_for_so_much),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
