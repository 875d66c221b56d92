// Who comes back in the classic dialect is brought what it missed, though it
// can't say where it was.
#include <cstddef>
#include <cstring>
#include <new>
#include <string>
#include <vector>

#include "auth/jwt_sign.hpp"
#include "base/envelope.hpp"
#include "hub/departure.hpp"
#include "hub/notice.hpp"
#include "session/fakes.hpp"

namespace paperboy::session {
namespace {

using Authorize = Settings::Authorize;

constexpr std::uint64_t kPrint = 0x123456789A;
const std::string kSecret(64, 'k');

auth::KeySet make_keys() {
  auth::KeySet keys;
  auto key = auth::Key::load(auth::Algorithm::hs256, kSecret);
  assert_true(key.ok() && keys.add(std::move(*key)).ok());
  return keys;
}

struct TestBackEnd final : hub::BackEnd {
  void ask(Bytes client, Bytes) override { clients.emplace_back(client); }
  [[nodiscard]] Bytes name_space() const override { return {}; }

  std::vector<std::string> clients;
};

struct Scene : World {
  Scene() {
    settings.dialect = dialect::find("classic");
    settings.issuers = &issuers;
    settings.tokens_only_admit = true;
    settings.return_seconds = 60;
    token_rules.user_claims = {"userId"};
    token_rules.channel_claims = {"channel"};
    hub::Rule rule;
    rule.keep.count = 100;
    assert_true(rules.add("kept*", rule));
    broker.once = true;
    liaisons.set_back_end(&back_end);
    assert_true(liaisons.listen().ok());
  }

  /// As a message of the classic protocol; "2" is heard as "{2}".
  void publish(Bytes channel, const std::string& data) {
    const std::string text = "{" + data + "}";
    const std::string extra =
        make_envelope(text, Bytes(text).substr(1, data.size()));
    hub.publish({.channel = channel, .data = data, .extra = extra},
                [](const auto&) {});
    turn();
  }
  void publish(const std::string& data) { publish("kept", data); }

  void tell(const hub::Notice& notice) {
    liaisons.tell(notice);
    turn();
  }

  /// How many departures of the user's are noted.
  std::size_t noted(Bytes user = "ann") {
    return broker.entry(hub::left_channel({}, user)).kept.size();
  }

  TestBackEnd back_end;
  auth::KeySet keys = make_keys();
  auth::TokenRules token_rules;
  auth::Issuers issuers{keys, token_rules};
};

struct Visitor : Client {
  explicit Visitor(Scene& scene, std::uint64_t print = kPrint)
      : Client(scene), scene(scene) {
    Admission admission;
    admission.fingerprint = print;
    assert_true(open(admission).ok());
  }

  void enter(const std::string& channel = "kept",
             const std::string& user = "ann") {
    text(*auth::sign(auth::Algorithm::hs256, kSecret,
                     R"({"exp":1800000000,"userId":")" + user +
                         R"(","channel":")" + channel + "\"}"));
  }
  /// Its socket ends, and hasn't acknowledged so many bytes.
  void vanish(std::size_t unreceived = 0) {
    socket.lost();
    const bool departs = socket.departs();
    assert_true(socket.depart(unreceived) == departs);
    assert_false(socket.departs());
  }

  Scene& scene;
};

/// One that was in `kept`, heard "1" and has gone.
void visit_and_vanish(Scene& scene, std::size_t unreceived = 0) {
  Visitor client(scene);
  client.enter();
  scene.publish("1");
  assert_text(client.heard(), "text subscribed:kept\ntext {1}\n");
  client.vanish(unreceived);
}

void who_comes_back_gets_what_it_missed(void**) {
  Scene scene;
  scene.publish("0");
  visit_and_vanish(scene);
  assert_int_equal(scene.noted(), 1);
  scene.publish("2");
  scene.publish("3");
  Visitor back(scene);
  back.enter();
  assert_text(back.heard(), "text subscribed:kept\ntext {2}\ntext {3}\n");
  scene.publish("4");
  assert_text(back.heard(), "text {4}\n");
  assert_int_equal(scene.count(Counter::recovered), 1);
  back.enter();
  assert_text(back.heard(), "text subscribed:kept\n");
}

void only_once(void**) {
  Scene scene;
  visit_and_vanish(scene);
  scene.publish("2");
  Visitor first(scene);
  first.enter();
  assert_text(first.heard(), "text subscribed:kept\ntext {2}\n");
  Visitor second(scene);
  second.enter();
  assert_text(second.heard(), "text subscribed:kept\n");
}

void a_place_that_another_has_is_not_taken(void**) {
  Scene scene;
  visit_and_vanish(scene);
  scene.publish("2");
  // On another node, a moment ago.
  scene.broker.publish(
      {.channel = hub::taken_channel({}, "ann"), .idempotency_key = "7:1:0"},
      [](const auto&) {});
  Visitor second(scene);
  second.enter();
  assert_text(second.heard(), "text subscribed:kept\n");
  scene.publish("3");
  assert_text(second.heard(), "text {3}\n");
}

void others_get_nothing(void**) {
  Scene scene;
  visit_and_vanish(scene);
  scene.publish("2");
  Visitor user(scene);
  user.enter("kept", "bob");
  assert_text(user.heard(), "text subscribed:kept\n");
  Visitor browser(scene, kPrint + 1);
  browser.enter();
  assert_text(browser.heard(), "text subscribed:kept\n");
  Visitor channel(scene);
  channel.enter("kept too");
  assert_text(channel.heard(), "text subscribed:kept too\n");
  scene.clock.ms += 61'000;
  Visitor late(scene);
  late.enter();
  assert_text(late.heard(), "text subscribed:kept\n");
}

void who_means_to_leave_is_not_noted(void**) {
  Scene scene;
  {
    Visitor client(scene);
    client.enter();
    client.close(1001);
    client.vanish();
  }
  {
    Visitor client(scene);
    client.enter("unkept");
    client.vanish();
  }
  {
    Visitor client(scene, 0);
    client.enter();
    client.vanish();
  }
  {
    Visitor client(scene);
    client.enter();
    client.text("unsubscribe:kept");
    client.vanish();
  }
  {
    Visitor client(scene);
    client.enter();
    hub::Order order;
    order.user = "ann";
    order.code = 3503;
    client.socket.obey(order);
    client.vanish();
  }
  {
    Visitor client(scene);
    client.vanish();
  }
  assert_int_equal(scene.noted(), 0);
}

void who_answers_our_close_has_all(void**) {
  Scene scene;
  Visitor client(scene);
  client.enter();
  scene.publish("1");
  client.socket.shut_down();
  client.flush();
  client.close(1001);
  assert_int_equal(scene.noted(), 1);
  client.vanish(100);
  assert_int_equal(scene.noted(), 1);
  scene.publish("2");
  Visitor back(scene);
  back.enter();
  assert_text(back.heard(), "text subscribed:kept\ntext {2}\n");
}

void what_did_not_arrive_comes_again(void**) {
  // A frame of "{1}" has 5 bytes.
  for (const auto& [bytes, from] :
       {std::pair<std::size_t, int>{0, 4}, {1, 3}, {5, 3}, {6, 2}, {99, 1}}) {
    Scene scene;
    scene.publish("0");
    {
      Visitor client(scene);
      client.enter();
      for (const char* const data : {"1", "2", "3"}) scene.publish(data);
      // "subscribed:" was sent as well, so that counting back may go on.
      client.vanish(bytes);
    }
    scene.publish("4");
    Visitor back(scene);
    back.enter();
    std::string wanted = "text subscribed:kept\n";
    const int first = bytes == 99 ? 0 : from;
    for (int i = first; i <= 4; ++i) {
      wanted += "text {" + std::to_string(i) + "}\n";
    }
    assert_text(back.heard(), wanted.c_str());
  }
}

void last_words_are_not_counted(void**) {
  Scene scene;
  Visitor client(scene);
  client.enter();
  scene.publish("1");
  client.socket.shut_down();
  client.flush();
  const std::string reason = "the server goes away";
  client.vanish(4 + reason.size());
  scene.publish("2");
  Visitor back(scene);
  back.enter();
  assert_text(back.heard(), "text subscribed:kept\ntext {2}\n");
}

void who_is_cut_amid_a_fan_out_left_before_it(void**) {
  Scene scene;
  scene.settings.send_buffer = 100;
  Visitor client(scene);
  client.enter();
  client.transport.room = 0;
  const std::string large(200, 'x');
  scene.publish(large);  // waits
  scene.publish("2");    // and there is no room for more
  assert_true(client.transport.aborted);
  client.socket.depart(client.transport.queued.size());
  scene.settings.send_buffer = 1000;
  Visitor back(scene);
  back.enter();
  const std::string wanted =
      "text subscribed:kept\ntext {" + large + "}\ntext {2}\n";
  assert_text(back.heard(), wanted.c_str());
}

void who_is_told_of_a_hole_left_before_it(void**) {
  Scene scene;
  Visitor client(scene);
  client.enter();
  scene.publish("1");
  client.heard();
  // The history has what the log has lost.
  hub::FakeBroker::Entry& entry = scene.broker.entry("kept");
  for (std::uint64_t offset = 2; offset <= 4; ++offset) {
    Kept kept = entry.kept.back();
    kept.position.offset = offset;
    kept.data = std::to_string(offset);
    entry.kept.push_back(kept);
  }
  entry.top.offset = 4;
  scene.broker.bring_at("kept", {7, 4}, "4");
  scene.turn();
  assert_true(Bytes(client.heard()).starts_with("close 3010"));
  client.close(3010);
  Visitor back(scene);
  back.enter();
  assert_text(back.heard(),
              "text subscribed:kept\ntext {2}\ntext {3}\ntext {4}\n");
}

void what_is_gone_is_said(void**) {
  Scene scene;
  visit_and_vanish(scene);
  for (int i = 0; i < 101; ++i) scene.publish("x");
  Visitor back(scene);
  back.enter();
  assert_text(back.heard(), "text subscribed:kept\n");
  assert_int_equal(scene.count(Counter::not_recovered), 1);
  assert_text(back.transport.notes,
              "what a client missed while it was away is gone\n");
  scene.publish("y");
  assert_text(back.heard(), "text {y}\n");
}

void copies_come_no_second_time(void**) {
  Scene scene;
  scene.settings.authorize = Authorize::back_end;
  const auto let_in = [&](Visitor& client) {
    client.text("token");
    scene.tell({.kind = hub::Notice::Kind::authorized,
                .name_space = {},
                .client = scene.back_end.clients.back(),
                .user = "ann",
                .channel = "kept"});
  };
  const auto copy = [&](std::uint64_t offset) {
    scene.tell({.kind = hub::Notice::Kind::copy,
                .name_space = {},
                .channel = "kept",
                .position = {7, offset},
                .data = std::to_string(offset)});
  };
  {
    Visitor client(scene);
    let_in(client);
    scene.publish("1");
    client.vanish();
  }
  scene.publish("2");
  scene.publish("3");
  Visitor back(scene);
  let_in(back);
  assert_text(back.heard(), "text subscribed:kept\ntext {2}\ntext {3}\n");
  copy(3);
  copy(4);
  assert_text(back.heard(), "");
  // To whom nothing is brought copies are.
  Visitor fresh(scene, 1);
  let_in(fresh);
  copy(3);
  assert_true(Bytes(fresh.heard())
                  .starts_with("text subscribed:kept\ntext {\"userId\":null"));
}

void a_slow_answer_makes_no_hole(void**) {
  Scene scene;
  visit_and_vanish(scene);
  scene.publish("2");
  scene.broker.hold_replies = true;
  Visitor back(scene);
  back.enter();
  scene.publish("3");
  assert_text(back.heard(), "");
  back.enter();
  for (int i = 0; i < 3; ++i) {
    scene.publish(std::to_string(4 + i));
    scene.broker.answer_held();
  }
  scene.broker.answer_held();
  scene.turn();
  assert_text(back.heard(),
              "text subscribed:kept\ntext {2}\ntext {3}\ntext {4}\n"
              "text {5}\ntext {6}\n");
  scene.publish("7");
  assert_text(back.heard(), "text {7}\n");
}

void who_waits_too_long_begins_where_it_is(void**) {
  Scene scene;
  visit_and_vanish(scene);
  scene.publish("2");
  scene.broker.hold_replies = true;
  Visitor back(scene);
  back.enter();
  scene.publish("3");
  scene.liaisons.tick();
  assert_text(back.heard(), "");
  scene.clock.ms += 1000;
  scene.liaisons.tick();
  back.flush();
  assert_text(back.heard(), "text subscribed:kept\ntext {3}\n");
  scene.broker.answer_held();
  scene.publish("4");
  assert_text(back.heard(), "text {4}\n");
}

void a_broker_that_refuses_breaks_nothing(void**) {
  Scene scene;
  visit_and_vanish(scene);
  Visitor back(scene);
  scene.broker.hold_replies = true;
  back.enter();
  scene.broker.refusal = Error{ErrorCode::unavailable, "away"};
  scene.broker.answer_held();
  back.flush();
  assert_text(back.heard(), "text subscribed:kept\n");
}

void who_goes_again_leaves_its_place_to_the_next(void**) {
  for (int answers = 0; answers < 3; ++answers) {
    Scene scene;
    visit_and_vanish(scene);
    scene.publish("2");
    scene.broker.hold_replies = true;
    {
      Visitor back(scene);
      back.enter();
      for (int i = 0; i < answers; ++i) scene.broker.answer_held();
      back.vanish();
      back.flush();
    }
    for (int i = 0; i < 3; ++i) scene.broker.answer_held();
    scene.broker.hold_replies = false;
    scene.publish("3");
    Visitor again(scene);
    again.enter();
    assert_text(again.heard(), "text subscribed:kept\ntext {2}\ntext {3}\n");
  }
}

/// Its memory is another's by then.
void who_has_come_back_and_gone_is_not_looked_at(void**) {
  Scene scene;
  visit_and_vanish(scene);
  scene.broker.hold_replies = true;
  alignas(Visitor) std::byte memory[sizeof(Visitor)];
  auto* const back = new (memory) Visitor(scene);
  back->enter();
  for (int i = 0; i < 4; ++i) scene.broker.answer_held();
  scene.turn();
  assert_text(back->heard(), "text subscribed:kept\n");
  back->~Visitor();
  std::memset(memory, 0xFF, sizeof(memory));
  scene.liaisons.tick();
}

}  // namespace
}  // namespace paperboy::session

int main() {
  using namespace paperboy::session;
  const CMUnitTest tests[] = {
      cmocka_unit_test(who_comes_back_gets_what_it_missed),
      cmocka_unit_test(only_once),
      cmocka_unit_test(a_place_that_another_has_is_not_taken),
      cmocka_unit_test(others_get_nothing),
      cmocka_unit_test(who_means_to_leave_is_not_noted),
      cmocka_unit_test(who_answers_our_close_has_all),
      cmocka_unit_test(what_did_not_arrive_comes_again),
      cmocka_unit_test(last_words_are_not_counted),
      cmocka_unit_test(who_is_cut_amid_a_fan_out_left_before_it),
      cmocka_unit_test(who_is_told_of_a_hole_left_before_it),
      cmocka_unit_test(what_is_gone_is_said),
      cmocka_unit_test(copies_come_no_second_time),
      cmocka_unit_test(a_slow_answer_makes_no_hole),
      cmocka_unit_test(who_waits_too_long_begins_where_it_is),
      cmocka_unit_test(a_broker_that_refuses_breaks_nothing),
      cmocka_unit_test(who_goes_again_leaves_its_place_to_the_next),
      cmocka_unit_test(who_has_come_back_and_gone_is_not_looked_at),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
