// Messages that show a token against forged requests.
#include "session/fakes.hpp"
#include "session/session.hpp"

namespace paperboy::session {
namespace {

struct Guarded : World {
  Guarded() {
    settings.dialect = dialect::find("echo");
    settings.csrf = &secret;
  }
  [[nodiscard]] std::string token(Bytes user, std::int64_t lifetime = 60) {
    return secret.token(user, clock.unix_seconds() + lifetime);
  }
  auth::CsrfSecret secret{"a secret of thirty-two bytes, ok"};
};

Admission ann() {
  Admission admission;
  admission.csrf_user = "ann";
  return admission;
}

std::string message(const std::string& token) {
  return R"({"a":1.0,"csrf":")" + token + "\"}";
}

void what_shows_one_goes_on_without(void**) {
  Guarded world;
  Client client(world);
  assert_true(client.open(ann()).ok());
  client.text(message(world.token("ann")));
  assert_text(client.heard(), "text {\"a\":1.0}\n");
}

void what_shows_none_is_the_end(void**) {
  Guarded world;
  for (const std::string& text :
       {std::string("hello"), std::string("{}"), message(world.token("bob"))}) {
    Client client(world);
    assert_true(client.open(ann()).ok());
    client.text(text);
    assert_text(client.heard(),
                R"(text {"code":403,"message":"You do not have permission to )"
                R"(access this websocket."})"
                "\nclose 1008 csrf\n");
  }
  assert_int_equal(world.count(Counter::refused_csrf), 3);
}

void an_old_one_is_told_so(void**) {
  Guarded world;
  Client client(world);
  assert_true(client.open(ann()).ok());
  const std::string token = world.token("ann");
  world.clock.stepped += 61;
  client.text(message(token));
  assert_text(client.heard(),
              R"(text {"code":403,"message":"The CSRF provided has expired."})"
              "\nclose 1008 csrf\n");
}

void natively_each_command_shows_one(void**) {
  Guarded world;
  world.settings.dialect = dialect::find("native");
  Client client(world);
  assert_true(client.open(ann()).ok());
  const std::string good = R"("csrf":")" + world.token("ann") + "\"";
  client.text("{\"id\":1,\"connect\":{}," + good + "}\n");
  assert_true(client.heard().find("\"connect\"") != std::string::npos);
  client.text("{\"id\":2,\"ping\":{}," + good + "}\n{\"id\":3,\"ping\":{}}");
  assert_text(client.heard(), "close 1008 csrf\n");
}

void whose_it_is_goes_with_the_session(void**) {
  Guarded world;
  {
    Client client(world);
    assert_true(client.open(ann()).ok());
    assert_int_equal(world.context.csrf_users.size(), 1);
  }
  assert_int_equal(world.context.csrf_users.size(), 0);
}

}  // namespace
}  // namespace paperboy::session

int main() {
  using namespace paperboy::session;
  const CMUnitTest tests[] = {
      cmocka_unit_test(what_shows_one_goes_on_without),
      cmocka_unit_test(what_shows_none_is_the_end),
      cmocka_unit_test(an_old_one_is_told_so),
      cmocka_unit_test(natively_each_command_shows_one),
      cmocka_unit_test(whose_it_is_goes_with_the_session),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
