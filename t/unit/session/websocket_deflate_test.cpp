// permessage-deflate (RFC 7692) as a client inflates it: with one window over
// all it gets where the server keeps its own, and where it doesn't, with a
// fresh one for each message.
#include <string>

#include "session/fakes.hpp"

namespace paperboy::session {
namespace {

ws::DeflateParams params(bool keeps_window, int window_bits = 15) {
  ws::DeflateParams params;
  params.server_no_context_takeover = !keeps_window;
  params.server_max_window_bits = window_bits;
  return params;
}

struct Compressing : World {
  Compressing() {
    settings.dialect = dialect::find("echo");
    settings.deflate_threshold = 8;
  }
};

std::string words(int seed) {
  std::string text;
  for (int i = 0; i < 40; ++i) {
    text += "word" + std::to_string((seed * 31 + i * i) % 97) + " ";
  }
  return text;
}

void only_what_reaches_the_threshold_is_compressed(void**) {
  Compressing world;
  world.settings.deflate_threshold = 10;
  Client client(world, params(false));
  client.open_in({"news"});
  client.text("aaaaaaaaa");
  client.text("aaaaaaaaaa");
  world.broker.bring("news", "bbbbbbbbb");
  world.broker.bring("news", "bbbbbbbbbb");
  world.turn();
  assert_text(client.heard(),
              "text aaaaaaaaa\nztext aaaaaaaaaa\n"
              "text bbbbbbbbb\nztext bbbbbbbbbb\n");
}

void what_doesnt_get_shorter_goes_as_it_is(void**) {
  Compressing world;
  Client client(world, params(true));
  client.open_in({"news"});
  client.text("0123456789");
  client.text("0123456789 0123456789 0123456789");
  client.text("0123456789 0123456789 0123456789");
  assert_text(client.heard(),
              "text 0123456789\n"
              "ztext 0123456789 0123456789 0123456789\n"
              "ztext 0123456789 0123456789 0123456789\n");
}

void without_deflate_nothing_is_compressed(void**) {
  Compressing world;
  Client plain(world);
  Client compressed(world, params(false));
  plain.open_in({"news"});
  compressed.open_in({"news"});
  world.broker.bring("news", "aaaaaaaaaaaaaaaa");
  world.turn();
  plain.text("bbbbbbbbbbbbbbbb");
  assert_text(plain.heard(), "text aaaaaaaaaaaaaaaa\ntext bbbbbbbbbbbbbbbb\n");
  assert_text(compressed.heard(), "ztext aaaaaaaaaaaaaaaa\n");
}

void a_broadcast_is_compressed_once_for_all_who_take_it(void**) {
  Compressing world;
  Client one(world, params(false));
  Client two(world, params(false));
  Client small(world, params(false, 9));
  Client keeps(world, params(true));
  for (Client* client : {&one, &two, &small, &keeps}) {
    client->open_in({"news"});
  }
  for (int i = 0; i < 3; ++i) world.broker.bring("news", words(i));
  world.turn();
  const std::string expected = "ztext " + words(0) + "\nztext " + words(1) +
                               "\nztext " + words(2) + "\n";
  assert_true(one.transport.sent == two.transport.sent);
  for (Client* client : {&one, &two, &small, &keeps}) {
    assert_text(client->heard(), expected.c_str());
  }
}

void sessions_that_share_a_compressor_dont_see_each_other(void**) {
  Compressing world;
  Client one(world, params(false));
  Client two(world, params(false));
  one.open_in({});
  two.open_in({});
  for (int i = 0; i < 5; ++i) {
    one.text(words(1));
    two.text(words(1));
    const std::string expected = "ztext " + words(1) + "\n";
    assert_text(one.heard(), expected.c_str());
    assert_text(two.heard(), expected.c_str());
  }
}

void a_kept_window_makes_repetitions_short(void**) {
  Compressing world;
  Client client(world, params(true));
  client.open_in({});
  client.text(words(1));
  const std::size_t first = client.transport.sent.size();
  client.text(words(1));
  const std::size_t second = client.transport.sent.size() - first;
  assert_true(second * 4 < first);
  const std::string line = "ztext " + words(1) + "\n";
  assert_text(client.heard(), (line + line).c_str());
}

// Broadcasts come from another compressor than replies: all orders of four
// messages of three kinds, each as long as to refer to what came before.
void replies_and_broadcasts_may_alternate(void**) {
  for (const bool keeps : {true, false}) {
    for (const int bits : {9, 15}) {
      for (int order = 0; order < 3 * 3 * 3 * 3 * 3; ++order) {
        Compressing world;
        Client client(world, params(keeps, bits));
        client.open_in({"news"});
        std::string expected;
        for (int i = 0, rest = order; i < 5; ++i, rest /= 3) {
          const std::string data =
              rest % 3 == 2 ? "short" : words(i / 2) + words(rest % 3);
          if (rest % 3 == 0) {
            world.broker.bring("news", data);
            world.turn();
          } else {
            client.text(data);
          }
          expected += (rest % 3 == 2 ? "text " : "ztext ") + data + "\n";
        }
        assert_text(client.heard(), expected.c_str());
      }
    }
  }
}

void what_a_client_compresses_is_inflated(void**) {
  for (const bool keeps : {true, false}) {
    Compressing world;
    ws::DeflateParams agreed = params(false);
    agreed.client_no_context_takeover = !keeps;
    Client one(world, agreed);
    Client two(world, agreed);
    ws::Deflater of_one;
    ws::Deflater of_two;
    one.open_in({});
    two.open_in({});
    const auto send = [&](Client& client, ws::Deflater& deflater, int seed) {
      if (!keeps) deflater.reset();
      std::string payload;
      assert_true(deflater.compress(words(seed), payload));
      client.say(ws::client_frame(ws::Opcode::text, payload, {.rsv1 = true}));
      assert_text(client.heard(), ("ztext " + words(seed) + "\n").c_str());
    };
    for (int i = 0; i < 6; ++i) {
      send(one, of_one, i / 2);
      send(two, of_two, i / 3);
    }
  }
}

void a_message_that_inflates_over_the_limit_is_1009(void**) {
  Compressing world;
  world.settings.max_message_size = 1000;
  Client client(world, params(false));
  client.open_in({});
  ws::Deflater deflater;
  std::string payload;
  assert_true(deflater.compress(std::string(1001, 'x'), payload));
  client.say(ws::client_frame(ws::Opcode::text, payload, {.rsv1 = true}));
  assert_text(client.heard(), "close 1009 message too big\n");
}

void control_frames_are_never_compressed(void**) {
  Compressing world;
  Client client(world, params(false));
  client.open_in({});
  client.ping("aaaaaaaaaaaaaaaaaaaaaaaa");
  client.close(1000, "bbbbbbbbbbbbbbbbbbbbbbbb");
  assert_text(client.heard(),
              "pong aaaaaaaaaaaaaaaaaaaaaaaa\n"
              "close 1000 bbbbbbbbbbbbbbbbbbbbbbbb\n");
}

}  // namespace
}  // namespace paperboy::session

int main() {
  using namespace paperboy::session;
  const CMUnitTest tests[] = {
      cmocka_unit_test(only_what_reaches_the_threshold_is_compressed),
      cmocka_unit_test(what_doesnt_get_shorter_goes_as_it_is),
      cmocka_unit_test(without_deflate_nothing_is_compressed),
      cmocka_unit_test(a_broadcast_is_compressed_once_for_all_who_take_it),
      cmocka_unit_test(sessions_that_share_a_compressor_dont_see_each_other),
      cmocka_unit_test(a_kept_window_makes_repetitions_short),
      cmocka_unit_test(replies_and_broadcasts_may_alternate),
      cmocka_unit_test(what_a_client_compresses_is_inflated),
      cmocka_unit_test(a_message_that_inflates_over_the_limit_is_1009),
      cmocka_unit_test(control_frames_are_never_compressed),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
