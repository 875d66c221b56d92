#include "broker/redis_reply.hpp"

#include <array>
#include <string>
#include <vector>

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::broker::redis {
namespace {

constexpr std::size_t kMost = 1024UL * 1024;

/// A reply as a line that a test can compare.
std::string shown(const Reply& reply) {
  switch (reply.kind) {
    case Reply::Kind::nil:
      return "nil";
    case Reply::Kind::integer:
      return std::to_string(reply.integer);
    case Reply::Kind::string:
      return "'" + reply.text + "'";
    case Reply::Kind::error:
      return "!" + reply.text;
    case Reply::Kind::array:
      break;
  }
  std::string text = "[";
  for (const Reply& item : reply.items) text += shown(item) + " ";
  return text + "]";
}

/// All that the parts bring, and "bad" where the stream breaks.
std::string read(const std::vector<Bytes>& parts, std::size_t most = kMost) {
  ReplyReader reader(most);
  std::string text;
  for (const Bytes part : parts) {
    if (!reader.feed(part)) return text + "bad";
    for (;;) {
      auto reply = reader.next();
      if (!reply) {
        assert_false(reader.feed("+OK\r\n").ok());
        assert_false(reader.next().ok());
        return text + "bad";
      }
      if (!*reply) break;
      text += shown(**reply) + "\n";
    }
  }
  return text;
}

struct Example {
  Bytes bytes;
  Bytes shown;
};

constexpr std::array kExamples{
    Example{"+OK\r\n", "'OK'\n"},
    Example{"-ERR no\r\n", "!ERR no\n"},
    Example{":-12\r\n:9223372036854775807\r\n", "-12\n9223372036854775807\n"},
    Example{"$-1\r\n*-1\r\n", "nil\nnil\n"},
    Example{"$0\r\n\r\n$7\r\na\r\n+b\r\n\r\n", "''\n'a\r\n+b\r\n'\n"},
    Example{"*0\r\n*1\r\n*0\r\n", "[]\n[[] ]\n"},
    Example{"*3\r\n$1\r\na\r\n*2\r\n:1\r\n*1\r\n$-1\r\n-E\r\n+x\r\n",
            "['a' [1 [nil ] ] !E ]\n'x'\n"},
    Example{"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:7\r\n",
            "[[[[[[[7 ] ] ] ] ] ] ]\n"},
};

void replies_are_the_same_wherever_the_stream_is_cut(void**) {
  for (const Example& example : kExamples) {
    assert_true(read({example.bytes}) == example.shown);
    for (std::size_t i = 0; i <= example.bytes.size(); ++i) {
      const Bytes rest = example.bytes.substr(i);
      for (std::size_t j = 0; j <= rest.size(); ++j) {
        assert_true(read({example.bytes.substr(0, i), rest.substr(0, j),
                          rest.substr(j)}) == example.shown);
      }
    }
  }
}

void what_is_no_reply_breaks_the_stream(void**) {
  for (const Bytes bytes :
       {"hello\r\n", ":x\r\n", ":\r\n", "$x\r\n", "$-2\r\n",
        "$99999999999999999999\r\n", "*-2\r\n", "*9999999999\r\n", "*x\r\n",
        "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:7\r\n"}) {
    const std::string text = read({bytes});
    assert_true(text == "bad");
  }
  assert_true(read({"+OK\r\nx\r\n"}) == "'OK'\nbad");
}

void a_size_from_the_wire_costs_nothing(void**) {
  // Two thousand million items, and a string of as many GB: still waited for.
  assert_true(read({"*2147483647\r\n"}).empty());
  assert_true(read({"$2147483647000\r\nabc"}).empty());
}

void a_reply_has_its_limit_however_it_comes(void**) {
  const std::string many(10'000, 'x');
  const std::string string = "$10000\r\n" + many + "\r\n";
  assert_true(read({string}, 20'000) == "'" + many + "'\n");
  assert_true(read({string}, 9'000) == "bad");
  // What isn't whole yet counts as well.
  assert_true(read({"$1000000\r\n", many}, 9'000) == "bad");
  // Items have their weight, so that tiny ones don't add up unseen.
  std::string items = "*2147483647\r\n";
  for (int i = 0; i < 1000; ++i) items += ":1\r\n";
  assert_true(read({items}, 9'000) == "bad");
}

void many_replies_are_not_one(void**) {
  std::string bytes;
  std::string expected;
  for (int i = 0; i < 50'000; ++i) {
    bytes += ":" + std::to_string(i) + "\r\n";
    expected += std::to_string(i) + "\n";
  }
  assert_true(read({bytes}, 1000 + 16 * 1024) == expected);
}

void a_line_ends_some_time(void**) {
  assert_true(read({"+" + std::string(1000, 'x')}).empty());
  assert_true(read({"+" + std::string(100'000, 'x')}) == "bad");
}

void a_long_string_is_no_endless_line(void**) {
  const std::string half(200'000, 'x');
  const std::string size = "$400000\r\n";
  assert_true(read({size, half, half, "\r\n"}) == "'" + half + half + "'\n");
}

void commands_are_arrays_of_strings(void**) {
  std::string out = "before";
  const std::string binary("a\0\r\n", 4);
  const std::array<Bytes, 3> words{"SET", binary, ""};
  append_command(out, words);
  assert_true(out ==
              "before*3\r\n$3\r\nSET\r\n$4\r\n" + binary + "\r\n$0\r\n\r\n");
}

}  // namespace
}  // namespace paperboy::broker::redis

int main() {
  using namespace paperboy::broker::redis;
  const CMUnitTest tests[] = {
      cmocka_unit_test(replies_are_the_same_wherever_the_stream_is_cut),
      cmocka_unit_test(what_is_no_reply_breaks_the_stream),
      cmocka_unit_test(a_size_from_the_wire_costs_nothing),
      cmocka_unit_test(a_reply_has_its_limit_however_it_comes),
      cmocka_unit_test(many_replies_are_not_one),
      cmocka_unit_test(a_line_ends_some_time),
      cmocka_unit_test(a_long_string_is_no_endless_line),
      cmocka_unit_test(commands_are_arrays_of_strings),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
