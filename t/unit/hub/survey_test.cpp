#include "hub/survey.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "base/packing.hpp"
#include "hub/fakes.hpp"

#include "test.hpp"

namespace paperboy::hub {
namespace {

class TestClock final : public Clock {
 public:
  [[nodiscard]] std::uint64_t monotonic_ms() const override { return now; }
  [[nodiscard]] std::int64_t unix_seconds() const override { return 0; }
  std::uint64_t now = 1000;
};

/// One hub, in which several workers ask and answer.
struct World {
  FakeBroker broker;
  FakePresence presence{broker};
  RuleSet rules;
  Hub hub{broker, presence, rules};
  TestClock clock;
  std::vector<std::unique_ptr<Survey>> workers;

  Survey& add(const std::string& node, const std::optional<std::string>& says) {
    workers.push_back(std::make_unique<Survey>(
        hub, clock, node, "worker" + std::to_string(workers.size()),
        [says](Bytes question) -> std::optional<std::string> {
          if (!says) return {};
          return *says + "(" + std::string(question) + ")";
        }));
    assert_true(workers.back()->listen().ok());
    return *workers.back();
  }

  void turn() {
    for (int i = 0; i < 20; ++i) {
      hub.drain();
      hub.release();
      for (const auto& worker : workers) worker->look();
    }
  }

  /// Answers, in order; empty: not yet.
  std::string ask(Survey& from, const std::vector<std::string>& nodes) {
    reply.clear();
    from.ask("q", nodes, 100, [this](const auto& answers) {
      assert_true(reply.empty());
      if (!answers) {
        reply = std::string(error_name(answers.error().code));
        return;
      }
      std::vector<std::string> all = *answers;
      std::ranges::sort(all);
      for (const auto& one : all) reply += one + ";";
    });
    turn();
    return reply;
  }

  std::string reply;
};

void every_node_answers_once(void**) {
  World world;
  Survey& asker = world.add("a", {});
  world.add("b", "B");
  world.add("b", {});  // doesn't speak for it
  world.add("c", "C");
  world.add("c", "C");  // for a moment two may
  world.add("d", "D");  // not asked
  assert_string_equal(world.ask(asker, {"b", "c"}).c_str(), "B(q);C(q);");
  assert_string_equal(world.ask(asker, {"b"}).c_str(), "B(q);");
}

void an_answer_may_be_large(void**) {
  World world;
  Survey& asker = world.add("a", {});
  const std::string large(100'000, 'x');
  world.add("b", large);
  world.add("b", large);
  world.add("c", "");
  assert_true(world.ask(asker, {"b", "c"}) == "(q);" + large + "(q);");
}

void a_node_that_does_not_answer_fails_it(void**) {
  World world;
  Survey& asker = world.add("a", {});
  world.add("b", "B");
  world.add("c", {});
  assert_string_equal(world.ask(asker, {"b", "c"}).c_str(), "");
  world.clock.now += 99;
  asker.tick();
  assert_string_equal(world.reply.c_str(), "");
  world.clock.now += 1;
  asker.tick();
  assert_string_equal(world.reply.c_str(), "unavailable");
  asker.tick();
}

void one_that_was_asked_by_another_is_not_answered(void**) {
  World world;
  Survey& one = world.add("a", {});
  Survey& two = world.add("a", {});
  world.add("b", "B");
  std::string heard;
  two.ask("other", {"b"}, 100, [&](const auto& all) { heard = all->at(0); });
  assert_string_equal(world.ask(one, {"b"}).c_str(), "B(q);");
  assert_string_equal(heard.c_str(), "B(other)");
}

void what_is_heard_in_part_is_no_answer(void**) {
  World world;
  Survey& asker = world.add("a", {});
  assert_string_equal(world.ask(asker, {"b"}).c_str(), "");
  const auto say = [&](std::uint64_t page, std::uint64_t pages) {
    std::string message;
    put(message, 1);
    put(message, 1);
    put(message, Bytes("b"));
    put(message, Bytes("w"));
    put(message, page);
    put(message, pages);
    put(message, Bytes("x"));
    const std::string channel("\0answers/worker0", 16);
    world.broker.bring(channel, message, Kind::binary);
    world.broker.bring(channel, message.substr(1), Kind::binary);
  };
  say(1, 2);
  say(0, 2);
  say(0, 2);
  world.turn();
  assert_string_equal(world.reply.c_str(), "");
  say(1, 2);
  world.turn();
  assert_string_equal(world.reply.c_str(), "xx;");
}

void what_another_build_asks_is_passed_over(void**) {
  World world;
  Survey& asker = world.add("a", {});
  world.add("b", "B");
  world.broker.bring(kSurvey, "something else", Kind::binary);
  assert_string_equal(world.ask(asker, {"b"}).c_str(), "B(q);");
}

}  // namespace
}  // namespace paperboy::hub

int main() {
  using namespace paperboy::hub;
  const CMUnitTest tests[] = {
      cmocka_unit_test(every_node_answers_once),
      cmocka_unit_test(an_answer_may_be_large),
      cmocka_unit_test(a_node_that_does_not_answer_fails_it),
      cmocka_unit_test(one_that_was_asked_by_another_is_not_answered),
      cmocka_unit_test(what_is_heard_in_part_is_no_answer),
      cmocka_unit_test(what_another_build_asks_is_passed_over),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
