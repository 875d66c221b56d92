#include "ws/negotiation.hpp"

#include <algorithm>
#include <initializer_list>
#include <string>
#include <vector>

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::ws {
namespace {

// The answer, or "declined".
std::string answer_to(std::initializer_list<Bytes> extensions,
                      DeflateConfig config = {}) {
  config.enabled = true;
  const std::vector<Bytes> values(extensions);
  const auto params = negotiate(values, config);
  return params ? answer(*params) : "declined";
}

DeflateConfig with_takeover() {
  DeflateConfig config;
  config.server_context_takeover = true;
  config.client_context_takeover = true;
  return config;
}

struct Row {
  const char* offer;
  const char* answer;
};

void assert_table(std::initializer_list<Row> rows,
                  const DeflateConfig& config) {
  for (const Row& row : rows) {
    const std::string answer = answer_to({row.offer}, config);
    assert_string_equal(answer.c_str(), row.answer);
  }
}

void by_default_no_side_keeps_its_window(void**) {
  assert_table({{"permessage-deflate",
                 "permessage-deflate; server_no_context_takeover; "
                 "client_no_context_takeover"},
                {"permessage-deflate; client_max_window_bits",
                 "permessage-deflate; server_no_context_takeover; "
                 "client_no_context_takeover"}},
               {});
}

void windows_are_kept_where_both_sides_would(void**) {
  assert_table({{"permessage-deflate", "permessage-deflate"},
                {"permessage-deflate; server_no_context_takeover",
                 "permessage-deflate; server_no_context_takeover"},
                {"permessage-deflate; client_no_context_takeover",
                 "permessage-deflate; client_no_context_takeover"}},
               with_takeover());
}

void the_smaller_window_is_taken(void**) {
  DeflateConfig config = with_takeover();
  config.server_max_window_bits = 12;
  config.client_max_window_bits = 11;
  assert_table(
      {{"permessage-deflate", "permessage-deflate; server_max_window_bits=12"},
       {"permessage-deflate; server_max_window_bits=10",
        "permessage-deflate; server_max_window_bits=10"},
       {"permessage-deflate; server_max_window_bits=15",
        "permessage-deflate; server_max_window_bits=12"},
       {"permessage-deflate; client_max_window_bits",
        "permessage-deflate; server_max_window_bits=12; "
        "client_max_window_bits=11"},
       {"permessage-deflate; client_max_window_bits=9",
        "permessage-deflate; server_max_window_bits=12; "
        "client_max_window_bits=9"}},
      config);
}

void a_server_window_that_was_asked_for_is_answered(void**) {
  assert_table({{"permessage-deflate; server_max_window_bits=15",
                 "permessage-deflate; server_max_window_bits=15"},
                {"permessage-deflate; server_max_window_bits=9",
                 "permessage-deflate; server_max_window_bits=9"},
                {"permessage-deflate; server_max_window_bits=\"10\"",
                 "permessage-deflate; server_max_window_bits=10"}},
               with_takeover());
}

void a_server_window_of_8_bits_is_declined(void**) {
  assert_table({{"permessage-deflate; server_max_window_bits=8", "declined"},
                {"permessage-deflate; server_max_window_bits=8, "
                 "permessage-deflate",
                 "permessage-deflate"}},
               with_takeover());
}

void a_client_window_of_8_bits_is_read_with_9(void**) {
  const std::vector<Bytes> offer{
      "permessage-deflate; client_max_window_bits=8"};
  DeflateConfig config = with_takeover();
  config.enabled = true;
  const auto params = negotiate(offer, config);
  assert_true(params.has_value());
  assert_int_equal(params->client_max_window_bits, 9);
  assert_string_equal(answer(*params).c_str(), "permessage-deflate");
}

void a_client_that_cannot_be_asked_for_a_window_keeps_15_bits(void**) {
  const std::vector<Bytes> offer{"permessage-deflate"};
  DeflateConfig config;
  config.enabled = true;
  config.client_max_window_bits = 10;
  const auto params = negotiate(offer, config);
  assert_true(params.has_value());
  assert_int_equal(params->client_max_window_bits, 15);
  assert_false(params->answer_client_bits);
}

void bad_parameters_decline_the_offer(void**) {
  for (const char* parameters :
       {"unknown",
        "unknown=1",
        "server_no_context_takeover=1",
        "client_no_context_takeover=true",
        "server_no_context_takeover; server_no_context_takeover",
        "client_no_context_takeover; client_no_context_takeover",
        "server_max_window_bits",
        "server_max_window_bits=7",
        "server_max_window_bits=16",
        "server_max_window_bits=010",
        "server_max_window_bits=09",
        "server_max_window_bits=-9",
        "server_max_window_bits=+9",
        "server_max_window_bits=10x",
        "server_max_window_bits=x",
        "server_max_window_bits=99999999999",
        "server_max_window_bits=10; server_max_window_bits=10",
        "client_max_window_bits=7",
        "client_max_window_bits=16",
        "client_max_window_bits=0",
        "client_max_window_bits; client_max_window_bits"}) {
    const std::string offer = std::string("permessage-deflate; ") + parameters;
    const std::string got = answer_to({offer});
    assert_string_equal(got.c_str(), "declined");
    const std::string next =
        answer_to({offer + ", permessage-deflate"}, with_takeover());
    assert_string_equal(next.c_str(), "permessage-deflate");
  }
}

void the_first_offer_that_can_be_taken_is(void**) {
  const std::string got = answer_to(
      {"x-webkit-deflate-frame, permessage-deflate; wish=1",
       "permessage-deflate; server_max_window_bits=10, permessage-deflate"},
      with_takeover());
  assert_string_equal(got.c_str(),
                      "permessage-deflate; server_max_window_bits=10");
}

void without_an_offer_there_is_no_compression(void**) {
  assert_string_equal(answer_to({}).c_str(), "declined");
  assert_string_equal(answer_to({""}).c_str(), "declined");
  assert_string_equal(answer_to({"permessage-bzip2"}).c_str(), "declined");
}

void where_it_is_off_every_offer_is_declined(void**) {
  const std::vector<Bytes> offer{"permessage-deflate"};
  assert_false(negotiate(offer, DeflateConfig{}).has_value());
}

void nothing_is_offered_from_a_malformed_place_on(void**) {
  assert_string_equal(answer_to({"permessage-deflate;"}).c_str(), "declined");
  assert_string_equal(answer_to({"a;", "permessage-deflate"}).c_str(),
                      "declined");
  assert_string_equal(
      answer_to({"permessage-deflate, a;"}, with_takeover()).c_str(),
      "permessage-deflate");
}

}  // namespace
}  // namespace paperboy::ws

int main() {
  using namespace paperboy::ws;
  const CMUnitTest tests[] = {
      cmocka_unit_test(by_default_no_side_keeps_its_window),
      cmocka_unit_test(windows_are_kept_where_both_sides_would),
      cmocka_unit_test(the_smaller_window_is_taken),
      cmocka_unit_test(a_server_window_that_was_asked_for_is_answered),
      cmocka_unit_test(a_server_window_of_8_bits_is_declined),
      cmocka_unit_test(a_client_window_of_8_bits_is_read_with_9),
      cmocka_unit_test(
          a_client_that_cannot_be_asked_for_a_window_keeps_15_bits),
      cmocka_unit_test(bad_parameters_decline_the_offer),
      cmocka_unit_test(the_first_offer_that_can_be_taken_is),
      cmocka_unit_test(without_an_offer_there_is_no_compression),
      cmocka_unit_test(where_it_is_off_every_offer_is_declined),
      cmocka_unit_test(nothing_is_offered_from_a_malformed_place_on),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
