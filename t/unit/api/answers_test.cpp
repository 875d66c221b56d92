#include "api/answers.hpp"

#include <string>

#include "test.hpp"

namespace paperboy::api {
namespace {

void errors_have_number_and_words(void**) {
  std::string out;
  append_error(out, ErrorCode::not_available);
  assert_string_equal(out.c_str(), R"({"code":108,"message":"not available"})");
}

void positions_have_an_offset_where_it_is_theirs(void**) {
  std::string out;
  append_position(out, {255, 3}, true);
  append_position(out, {255, 3}, false);
  assert_string_equal(out.c_str(),
                      R"({"epoch":"ff","offset":3}{"epoch":"ff"})");
}

void members_stand_by_their_clients(void**) {
  std::string out;
  const std::vector<MemberRecord> members{
      MemberRecord(Member{"c1", "ann", "[1]", ""}),
      MemberRecord(Member{"c2", "", "", ""})};
  append_members(out, members);
  append_stats(out, {3, 2});
  assert_string_equal(
      out.c_str(),
      R"({"presence":{"c1":{"user":"ann","client":"c1","conn_info":[1]},)"
      R"("c2":{"user":"","client":"c2"}}}{"num_clients":3,"num_users":2})");
}

void a_history_has_its_top(void**) {
  std::string out;
  append_history(out, {{16, 9}, {{{16, 8}, Kind::text, "x", ""}}});
  append_history(out, {});
  assert_string_equal(
      out.c_str(),
      R"({"publications":[{"data":"x","offset":8}],"epoch":"10","offset":9})"
      R"({"publications":[],"epoch":"","offset":0})");
}

void names_are_escaped(void**) {
  std::string out;
  ActiveChannels channels(100);
  assert_true(channels.add("a\"b", 2).ok());
  append_channels(out, channels);
  assert_string_equal(out.c_str(),
                      R"({"channels":{"a\"b":{"num_clients":2}}})");
}

void a_node_is_read_as_it_was_written(void**) {
  const NodeInfo info{.uid = "u",
                      .name = "a\"b",
                      .version = "Paperboy 9",
                      .clients = 1,
                      .subscriptions = 2,
                      .channels = 3,
                      .uptime_seconds = 4};
  std::string out;
  append_node(out, info);
  const auto read = parse_node(out);
  assert_true(read.has_value());
  std::string again;
  append_node(again, *read);
  assert_string_equal(again.c_str(), out.c_str());
  assert_int_equal(read->uptime_seconds, 4);
  for (const char* const text : {"", "{}", "[]", R"({"uid":7})", R"({"uid")"}) {
    assert_false(parse_node(text).has_value());
  }
  assert_int_equal(parse_node(R"({"uid":"u","uptime":-1})")->uptime_seconds, 0);
}

}  // namespace
}  // namespace paperboy::api

int main() {
  using namespace paperboy::api;
  const CMUnitTest tests[] = {
      cmocka_unit_test(errors_have_number_and_words),
      cmocka_unit_test(positions_have_an_offset_where_it_is_theirs),
      cmocka_unit_test(members_stand_by_their_clients),
      cmocka_unit_test(a_history_has_its_top),
      cmocka_unit_test(names_are_escaped),
      cmocka_unit_test(a_node_is_read_as_it_was_written),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
