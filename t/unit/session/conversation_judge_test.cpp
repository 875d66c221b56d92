// Commands that a back end decides on, and what happens meanwhile.
#include <vector>

#include "session/conversation.hpp"
#include "session/talk.hpp"

namespace paperboy::session {
namespace {

using Matter = Judge::Matter;
using Verdict = Judge::Verdict;

/// One that answers when the test says so.
class FakeJudge final : public Judge {
 public:
  [[nodiscard]] bool decides(Matter) const override { return true; }
  [[nodiscard]] std::size_t most_waiting() const override { return 3; }
  void ask(const Question& question, Reply reply) const override {
    std::string text =
        question.matter == Matter::publish ? "publish " : "subscribe ";
    text.append(question.user).append(" in ").append(question.channel);
    if (!question.data.empty()) text.append(": ").append(question.data);
    asked.push_back(text);
    replies.push_back(std::move(reply));
  }
  mutable std::vector<std::string> asked;
  mutable std::vector<Reply> replies;
};

struct Court : Talk {
  Court() { settings.judge = &judge; }
  FakeJudge judge;
};

Admission ann() {
  Admission admission;
  admission.user = "ann";
  return admission;
}

constexpr const char* kSubscribe = R"({"id":2,"subscribe":{"channel":"a"}})";
constexpr const char* kSubscribed = R"({"id":2,"subscribe":{)";

bool has(const std::string& text, Bytes part) {
  return text.find(part) != std::string::npos;
}

/// What it hears once the judge has said so.
std::string after(Court& world, Talker& client, std::size_t which,
                  Verdict verdict) {
  world.judge.replies[which](verdict);
  client.flush();
  return client.heard();
}

void nothing_is_answered_before_the_verdict(void**) {
  Court world;
  Talker client(world, ann());
  client.text(kSubscribe);
  assert_text(client.heard(), "");
  assert_text(world.judge.asked.at(0), "subscribe ann in a");
  assert_true(has(after(world, client, 0, Verdict::allowed), kSubscribed));
  world.publish("a", "1");
  world.turn();
  assert_true(has(client.heard(), R"("channel":"a")"));
}

void a_no_is_final_and_ignorance_is_not(void**) {
  Court world;
  Talker client(world, ann());
  client.text(kSubscribe);
  assert_true(has(after(world, client, 0, Verdict::refused), R"("code":103)"));
  client.text(kSubscribe);
  const std::string reply = after(world, client, 1, Verdict::unknown);
  assert_true(has(reply, R"("code":100)"));
  assert_true(has(reply, R"("temporary":true)"));
}

void where_it_says_so_ignorance_is_a_yes(void**) {
  Court world;
  world.settings.admits_unjudged = true;
  Talker client(world, ann());
  client.text(kSubscribe);
  assert_true(has(after(world, client, 0, Verdict::unknown), kSubscribed));
  client.text(R"({"id":3,"subscribe":{"channel":"b"}})");
  assert_true(has(after(world, client, 1, Verdict::refused), R"("code":103)"));
  client.text(R"({"id":4,"subscribe":{"channel":"b"}})");
  assert_true(
      has(after(world, client, 2, Verdict::undecided), R"("code":100)"));
}

void what_is_refused_anyway_is_not_asked(void**) {
  Court world;
  hub::Rule nobody;
  nobody.subscribe = hub::Access::nobody;
  world.rule("a", nobody);
  Talker client(world, ann());
  assert_true(has(client.ask(R"("subscribe":{"channel":"a"})"), "103"));
  assert_true(world.judge.asked.empty());
}

void publishes_keep_their_order(void**) {
  Court world;
  Talker client(world, ann());
  client.text(R"({"id":2,"publish":{"channel":"a","data":1}})");
  client.text(R"({"id":3,"publish":{"channel":"a","data":2}})");
  assert_text(world.judge.asked.at(0), "publish ann in a: 1");
  assert_text(after(world, client, 1, Verdict::allowed), "");
  const std::string reply = after(world, client, 0, Verdict::refused);
  const auto first = reply.find(R"({"id":2,"error")");
  const auto second = reply.find(R"({"id":3,"publish")");
  assert_true(first < second && second != std::string::npos);
}

void so_many_questions_wait(void**) {
  Court world;
  Talker client(world, ann());
  for (const char* channel : {"a", "b", "c"}) {
    client.text(std::string(R"({"id":2,"subscribe":{"channel":")") + channel +
                "\"}}");
  }
  assert_true(
      has(client.ask(R"("subscribe":{"channel":"d"})"), R"("code":100)"));
  assert_int_equal(world.judge.asked.size(), 3);
}

void the_same_twice_is_an_error(void**) {
  Court world;
  Talker client(world, ann());
  client.text(kSubscribe);
  assert_true(
      has(client.ask(R"("subscribe":{"channel":"a"})"), R"("code":105)"));
}

void a_client_may_change_its_mind(void**) {
  Court world;
  Talker client(world, ann());
  client.text(kSubscribe);
  client.text(R"({"id":3,"unsubscribe":{"channel":"a"}})");
  const std::string reply = client.heard();
  assert_true(has(reply, R"({"id":2,"error":{"code":100)"));
  assert_true(has(reply, R"({"id":3,"unsubscribe")"));
  assert_text(after(world, client, 0, Verdict::allowed), "");
}

void what_has_changed_meanwhile_counts(void**) {
  Court world;
  world.settings.max_subscriptions = 1;
  Talker client(world, ann());
  client.text(kSubscribe);
  client.text(R"({"id":3,"subscribe":{"channel":"b"}})");
  assert_true(has(after(world, client, 1, Verdict::allowed), R"("id":3,"sub)"));
  assert_true(has(after(world, client, 0, Verdict::allowed), R"("code":106)"));
}

void a_verdict_may_come_when_nobody_waits(void**) {
  Court world;
  {
    Talker client(world, ann());
    client.text(kSubscribe);
  }
  world.judge.replies[0](Verdict::allowed);
}

}  // namespace
}  // namespace paperboy::session

int main() {
  using namespace paperboy::session;
  const CMUnitTest tests[] = {
      cmocka_unit_test(nothing_is_answered_before_the_verdict),
      cmocka_unit_test(a_no_is_final_and_ignorance_is_not),
      cmocka_unit_test(where_it_says_so_ignorance_is_a_yes),
      cmocka_unit_test(what_is_refused_anyway_is_not_asked),
      cmocka_unit_test(publishes_keep_their_order),
      cmocka_unit_test(so_many_questions_wait),
      cmocka_unit_test(the_same_twice_is_an_error),
      cmocka_unit_test(a_client_may_change_its_mind),
      cmocka_unit_test(what_has_changed_meanwhile_counts),
      cmocka_unit_test(a_verdict_may_come_when_nobody_waits),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
