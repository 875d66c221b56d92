#include "auth/permissions.hpp"

#include <string>

#include "test.hpp"

namespace {

using paperboy::Bytes;
using paperboy::auth::Grants;
using paperboy::auth::Scope;

constexpr Scope kScopes[] = {Scope::subscribe, Scope::publish, Scope::history,
                             Scope::presence};

Grants subscribing_to(Bytes pattern) {
  Grants grants;
  grants.add_scope(Scope::subscribe);
  assert_true(grants.add_channel(pattern));
  return grants;
}

void nothing_is_allowed_by_default(void**) {
  const Grants grants;
  assert_false(grants.names_channels());
  for (const Scope scope : kScopes) {
    assert_false(grants.has(scope));
    assert_false(grants.allows(scope, "news"));
  }
}

void everything_is_every_scope_in_every_channel(void**) {
  const Grants grants = Grants::everything();
  assert_true(grants.names_channels());
  for (const Scope scope : kScopes) {
    assert_true(grants.has(scope));
    assert_true(grants.allows(scope, "news"));
    assert_true(grants.allows(scope, ""));
  }
}

void patterns_name_channels(void**) {
  const struct {
    Bytes pattern, channel;
    bool allowed;
  } rows[] = {
      {"news", "news", true},       {"news", "News", false},
      {"news", "news2", false},     {"news", "new", false},
      {"news", "", false},          {"chat:*", "chat:1", true},
      {"chat:*", "chat:", true},    {"chat:*", "chat", false},
      {"chat:*", "xchat:1", false}, {"chat:*", "chat:*", true},
      {"*", "anything", true},      {"*", "", true},
      {"a*b", "a*b", true},         {"a*b", "axb", false},
      {"*a", "*a", true},           {"*a", "xa", false},
      {"a**", "a*b", true},         {"a**", "ab", false},
      {"a?", "ab", false},          {"a.", "ab", false},
  };
  for (const auto& row : rows) {
    if (subscribing_to(row.pattern).allows(Scope::subscribe, row.channel) !=
        row.allowed) {
      fail_msg("%s and %s", row.pattern.data(), row.channel.data());
    }
  }
}

void a_scope_is_for_itself_alone(void**) {
  for (const Scope granted : kScopes) {
    Grants grants;
    grants.add_scope(granted);
    assert_true(grants.add_channel("*"));
    for (const Scope scope : kScopes) {
      assert_true(grants.has(scope) == (scope == granted));
      assert_true(grants.allows(scope, "news") == (scope == granted));
    }
  }
}

void without_named_channels_the_scope_still_tells(void**) {
  Grants grants;
  grants.add_scope(Scope::subscribe);
  assert_false(grants.names_channels());
  assert_true(grants.has(Scope::subscribe));
  assert_false(grants.allows(Scope::subscribe, "news"));
}

void an_empty_list_of_channels_is_a_list(void**) {
  Grants grants;
  grants.add_scope(Scope::subscribe);
  grants.name_channels();
  assert_true(grants.names_channels());
  assert_false(grants.allows(Scope::subscribe, "news"));
}

void channels_are_limited_in_number_and_length(void**) {
  Grants grants;
  assert_false(grants.add_channel(""));
  assert_false(
      grants.add_channel(std::string(Grants::kMaxChannelLength + 1, 'a')));
  assert_false(grants.names_channels());
  assert_true(grants.add_channel(std::string(Grants::kMaxChannelLength, 'a')));
  for (std::size_t i = 1; i < Grants::kMaxChannels; ++i) {
    assert_true(grants.add_channel("c" + std::to_string(i)));
  }
  assert_false(grants.add_channel("one more"));
}

void a_capability_is_for_its_scope_and_channels(void**) {
  Grants grants;
  assert_true(grants.add(Scope::publish, "a", /*exact=*/true));
  assert_true(grants.add(Scope::subscribe, "b*", /*exact=*/true));
  assert_true(grants.add(Scope::subscribe, "c*", /*exact=*/false));
  assert_true(grants.names_channels());
  assert_true(grants.allows(Scope::publish, "a"));
  assert_false(grants.allows(Scope::subscribe, "a"));
  assert_true(grants.allows(Scope::subscribe, "b*"));
  assert_false(grants.allows(Scope::subscribe, "bc"));
  assert_true(grants.allows(Scope::subscribe, "cd"));
  assert_false(grants.has(Scope::publish));
}

void capabilities_are_limited_too(void**) {
  Grants grants;
  assert_false(grants.add(Scope::publish, "", true));
  assert_false(grants.add(
      Scope::publish, std::string(Grants::kMaxChannelLength + 1, 'a'), true));
  for (std::size_t i = 0; i < Grants::kMaxChannels; ++i) {
    assert_true(grants.add(Scope::publish, "a", true));
  }
  assert_false(grants.add(Scope::publish, "a", true));
}

void channels_may_be_exact(void**) {
  Grants grants;
  grants.add_scope(Scope::subscribe);
  assert_true(grants.add_channel("a*"));
  assert_true(grants.add_channel("*"));
  grants.name_exactly();
  assert_true(grants.allows(Scope::subscribe, "a*"));
  assert_true(grants.allows(Scope::subscribe, "*"));
  assert_false(grants.allows(Scope::subscribe, "a"));
  assert_false(grants.allows(Scope::subscribe, "ab"));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(nothing_is_allowed_by_default),
      cmocka_unit_test(everything_is_every_scope_in_every_channel),
      cmocka_unit_test(patterns_name_channels),
      cmocka_unit_test(a_scope_is_for_itself_alone),
      cmocka_unit_test(without_named_channels_the_scope_still_tells),
      cmocka_unit_test(an_empty_list_of_channels_is_a_list),
      cmocka_unit_test(channels_are_limited_in_number_and_length),
      cmocka_unit_test(a_capability_is_for_its_scope_and_channels),
      cmocka_unit_test(capabilities_are_limited_too),
      cmocka_unit_test(channels_may_be_exact),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
