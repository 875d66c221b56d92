// What a hook is told of a session, and when.
#include "session/conversation.hpp"
#include "session/talk.hpp"

namespace paperboy::session {
namespace {

class FakeHook final : public Hook {
 public:
  [[nodiscard]] bool wants(Event event) const override {
    return event != unwanted;
  }
  void tell(const Told& what) const noexcept override {
    constexpr std::array<Bytes, 4> kNames{"connect", "disconnect", "subscribe",
                                          "unsubscribe"};
    told.append(kNames[static_cast<std::size_t>(what.event)]);
    if (!what.user.empty()) told.append(" ").append(what.user);
    if (!what.channel.empty()) told.append(" ").append(what.channel);
    if (what.event == Event::disconnect) {
      told.append(" ").append(std::to_string(what.why.code));
    }
    told.append("\n");
    client = client_text(what.client);
  }
  std::string take() const { return std::exchange(told, {}); }

  std::optional<Event> unwanted;
  mutable std::string told;
  mutable std::string client;
};

struct Hooked : Talk {
  Hooked() { settings.hook = &hook; }
  FakeHook hook;
};

Admission ann(std::vector<std::string> channels = {}) {
  Admission admission;
  admission.user = "ann";
  admission.channels = std::move(channels);
  return admission;
}

void a_plain_session_is_told_in_its_order(void**) {
  Hooked world;
  world.settings.dialect = dialect::find("raw");
  Client client(world);
  assert_true(client.socket.open(ann({"a", "b"})).ok());
  assert_text(world.hook.take(), "");
  client.socket.start();
  assert_text(world.hook.take(),
              "connect ann\nsubscribe ann b\nsubscribe ann a\n");
  client.close(1000);
  assert_text(world.hook.take(),
              "unsubscribe ann a\nunsubscribe ann b\ndisconnect ann 1000\n");
  client.flush();
  assert_text(world.hook.take(), "");
}

void a_plain_session_has_one_name_in_presence_too(void**) {
  Hooked world;
  world.settings.dialect = dialect::find("raw");
  hub::Rule rule;
  rule.presence = true;
  world.rule("a", rule);
  {
    Client client(world);
    assert_true(client.open(ann({"a"})).ok());
    const std::string name = world.hook.client;
    assert_int_equal(name.size(), 32);
    std::string there;
    world.hub.presence().members("a", [&](const auto& members) {
      for (const auto& one : *members) there += one.view().client;
    });
    assert_text(there, name.c_str());
    assert_int_equal(world.context.hook_names.size(), 1);
  }
  assert_int_equal(world.context.hook_names.size(), 0);
}

void who_is_refused_was_never_in(void**) {
  Hooked world;
  world.settings.dialect = dialect::find("raw");
  world.settings.max_subscriptions = 1;
  {
    Client client(world);
    assert_false(client.open(ann({"a", "b"})).ok());
  }
  world.settings.dialect = dialect::find("native");
  {
    Client client(world);
    assert_true(client.open(ann()).ok());
  }
  assert_text(world.hook.take(), "");
}

void who_ends_before_its_start_was_never_in(void**) {
  Hooked world;
  world.settings.dialect = dialect::find("raw");
  {
    Client client(world);
    assert_true(client.socket.open(ann({"a"})).ok());
    client.socket.shut_down();
    client.socket.start();
  }
  assert_text(world.hook.take(), "");
}

void a_conversation_is_told_as_it_connects(void**) {
  Hooked world;
  Talker client(world, ann({"s"}));
  assert_text(world.hook.take(), "connect ann\nsubscribe ann s\n");
  assert_text(world.hook.client, client.client.c_str());
  (void)client.ask(R"("subscribe":{"channel":"a"})");
  assert_text(world.hook.take(), "subscribe ann a\n");
  (void)client.ask(R"("subscribe":{"channel":"a"})");
  assert_text(world.hook.take(), "");
  (void)client.ask(R"("unsubscribe":{"channel":"a"})");
  assert_text(world.hook.take(), "unsubscribe ann a\n");
}

void an_end_of_whatever_kind_is_told_once(void**) {
  Hooked world;
  {
    Talker lost(world);
    world.hook.take();
    lost.socket.lost();
  }
  assert_text(world.hook.take(), "disconnect 1006\n");
  {
    Talker sent_away(world);
    world.hook.take();
    sent_away.socket.shut_down();
    sent_away.flush();
    assert_text(world.hook.take(), "disconnect 3001\n");
    sent_away.socket.lost();
  }
  assert_text(world.hook.take(), "");
  {
    Talker never_closed(world);
    world.hook.take();
  }
  assert_text(world.hook.take(), "disconnect 1006\n");
}

void what_it_does_not_want_is_not_told(void**) {
  Hooked world;
  world.hook.unwanted = Hook::Event::subscribe;
  Talker client(world, ann({"s"}));
  (void)client.ask(R"("subscribe":{"channel":"a"})");
  assert_text(world.hook.take(), "connect ann\n");
}

void without_one_nothing_is_kept(void**) {
  Talk world;
  world.settings.dialect = dialect::find("raw");
  Client client(world);
  assert_true(client.open(ann({"a"})).ok());
  assert_int_equal(world.context.hook_names.size(), 0);
}

}  // namespace
}  // namespace paperboy::session

int main() {
  using namespace paperboy::session;
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_plain_session_is_told_in_its_order),
      cmocka_unit_test(a_plain_session_has_one_name_in_presence_too),
      cmocka_unit_test(who_is_refused_was_never_in),
      cmocka_unit_test(who_ends_before_its_start_was_never_in),
      cmocka_unit_test(a_conversation_is_told_as_it_connects),
      cmocka_unit_test(an_end_of_whatever_kind_is_told_once),
      cmocka_unit_test(what_it_does_not_want_is_not_told),
      cmocka_unit_test(without_one_nothing_is_kept),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
