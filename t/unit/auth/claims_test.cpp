// Whether a token's claims hold now, and what they grant.
#include "auth/claims.hpp"

#include <limits>
#include <string>

#include "test.hpp"

namespace {

using paperboy::Bytes;
using paperboy::Json;
using paperboy::Result;
using namespace paperboy::auth;

constexpr std::int64_t kNow = 1700000000;

Result<Token, TokenError> read(Bytes text, const TokenRules& rules = {}) {
  auto claims = Json::parse(text);
  assert_true(claims.ok());
  return read_claims(*claims, rules, kNow);
}

Token good(Bytes text, const TokenRules& rules = {}) {
  auto token = read(text, rules);
  if (!token) {
    fail_msg("%s: %s", text.data(), token_error_text(token.error()).data());
  }
  return *token;
}

void assert_refused(TokenError error, Bytes text,
                    const TokenRules& rules = {}) {
  auto token = read(text, rules);
  if (token.ok()) {
    fail_msg("accepted: %s", text.data());
  }
  assert_string_equal(token_error_text(token.error()).data(),
                      token_error_text(error).data());
}

// {"name":value}
std::string claim(Bytes name, Bytes value) {
  std::string out = "{\"";
  out.append(name).append("\":").append(value).append("}");
  return out;
}

void a_token_expires_at_its_second(void**) {
  assert_true(good(R"({"exp":1700000001})").expires == kNow + 1);
  assert_refused(TokenError::expired, R"({"exp":1700000000})");
  assert_refused(TokenError::expired, R"({"exp":1699999999})");
  assert_refused(TokenError::expired, R"({"exp":0})");
  assert_refused(TokenError::expired, R"({"exp":-1})");
  assert_refused(TokenError::expired, R"({"exp":-1e300})");
  assert_refused(TokenError::expired, R"({"exp":-9223372036854775808})");
}

void leeway_moves_the_expiry(void**) {
  TokenRules rules;
  rules.leeway_seconds = 30;
  assert_true(good(R"({"exp":1700000000})", rules).expires == kNow + 30);
  assert_true(good(R"({"exp":1699999971})", rules).expires == kNow + 1);
  assert_refused(TokenError::expired, R"({"exp":1699999970})", rules);
}

void an_expiry_may_be_a_fraction(void**) {
  assert_true(good(R"({"exp":1700000000.5})").expires == kNow + 1);
  assert_true(good(R"({"exp":1700000001.0})").expires == kNow + 1);
  assert_true(good(R"({"exp":1.70000001e9})").expires == kNow + 10);
  assert_refused(TokenError::expired, R"({"exp":1699999999.999})");
  assert_refused(TokenError::expired, R"({"exp":1e-300})");
  assert_refused(TokenError::expired, R"({"exp":-0.0})");
}

void an_expiry_may_be_far_away(void**) {
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  assert_true(good(R"({"exp":1e300})").expires == kMax);
  assert_true(good(R"({"exp":9223372036854775807})").expires == kMax);
  TokenRules rules;
  rules.leeway_seconds = std::numeric_limits<int>::max();
  assert_true(good(R"({"exp":9223372036854775807})", rules).expires == kMax);
}

void a_token_may_have_no_expiry_unless_it_must(void**) {
  assert_false(good("{}").expires.has_value());
  TokenRules rules;
  rules.expiry_required = true;
  assert_refused(TokenError::claims, "{}", rules);
  assert_true(good(R"({"exp":1800000000})", rules).expires.has_value());
}

void a_token_may_not_be_from_the_future(void**) {
  TokenRules rules;
  rules.leeway_seconds = 5;
  for (const Bytes name : {"nbf", "iat"}) {
    const auto at = [&](Bytes time) { return claim(name, time); };
    good(at("1700000000"));
    good(at("0"));
    good(at("-1e300"));
    assert_refused(TokenError::not_yet_valid, at("1700000001"));
    assert_refused(TokenError::not_yet_valid, at("1700000000.5"));
    assert_refused(TokenError::not_yet_valid, at("1e300"));
    good(at("1700000005"), rules);
    assert_refused(TokenError::not_yet_valid, at("1700000006"), rules);
  }
}

void times_are_numbers(void**) {
  for (const Bytes name : {"exp", "nbf", "iat"}) {
    for (const Bytes value :
         {"null", "\"1800000000\"", "true", "[1800000000]", "{}"}) {
      assert_refused(TokenError::claims, claim(name, value));
    }
  }
}

void the_issuer_is_the_one_asked_for(void**) {
  TokenRules rules;
  good(R"({"iss":"anybody"})", rules);
  rules.issuer = "https://id.example.com";
  good(R"({"iss":"https://id.example.com"})", rules);
  for (const Bytes claims :
       {"{}", R"({"iss":"https://id.example.com/"})", R"({"iss":""})",
        R"({"iss":"https://ID.example.com"})", R"({"iss":null})",
        R"({"iss":["https://id.example.com"]})"}) {
    assert_refused(TokenError::issuer, claims, rules);
  }
}

void one_audience_is_ours(void**) {
  TokenRules rules;
  good(R"({"aud":"anybody"})", rules);
  rules.audiences = {"chat", "news"};
  good(R"({"aud":"chat"})", rules);
  good(R"({"aud":["x","news"]})", rules);
  good(R"({"aud":[1,"news"]})", rules);
  for (const Bytes claims :
       {"{}", R"({"aud":"chat2"})", R"({"aud":"Chat"})", R"({"aud":[]})",
        R"({"aud":["x"]})", R"({"aud":[["chat"]]})", R"({"aud":{"chat":1}})",
        R"({"aud":"chat news"})", R"({"aud":""})", R"({"aud":null})"}) {
    assert_refused(TokenError::audience, claims, rules);
  }
}

void the_first_claim_that_is_there_names_the_user(void**) {
  assert_string_equal(good(R"({"sub":"ann"})").user.c_str(), "ann");
  assert_string_equal(good(R"({"userId":"ann"})").user.c_str(), "ann");
  assert_string_equal(good(R"({"user_id":42})").user.c_str(), "42");
  assert_string_equal(good(R"({"user_id":"b","sub":"a"})").user.c_str(), "a");
  assert_string_equal(good(R"({"sub":"auth0|5f7"})").user.c_str(), "auth0|5f7");
  assert_string_equal(good("{}").user.c_str(), "");
  TokenRules rules;
  rules.user_claims = {"email"};
  assert_string_equal(good(R"({"sub":"a","email":"e"})", rules).user.c_str(),
                      "e");
  for (const Bytes claims : {R"({"sub":null})", R"({"sub":1.5})",
                             R"({"sub":["ann"]})", R"({"userId":true})"}) {
    assert_refused(TokenError::claims, claims);
  }
}

void a_token_may_have_an_id(void**) {
  assert_string_equal(good(R"({"jti":"x1"})").id.c_str(), "x1");
  assert_string_equal(good(R"({"jti":7})").id.c_str(), "7");
  assert_refused(TokenError::claims, R"({"jti":[]})");
}

void channels_come_from_every_claim_that_names_them(void**) {
  for (const Bytes claims :
       {R"({"channel":"news"})", R"({"channels":["a","news"]})",
        R"({"topic":"news"})", R"({"topics":["news"]})",
        R"({"channel":"a","topics":["news"]})", R"({"channel":["ne*"]})"}) {
    const Grants grants = good(claims).grants;
    assert_true(grants.names_channels());
    assert_true(grants.allows(Scope::subscribe, "news"));
    assert_false(grants.allows(Scope::subscribe, "sports"));
  }
  TokenRules rules;
  rules.channel_claims = {"rooms"};
  const Grants grants = good(R"({"rooms":"r","channel":"c"})", rules).grants;
  assert_true(grants.allows(Scope::subscribe, "r"));
  assert_false(grants.allows(Scope::subscribe, "c"));
}

void no_channel_claim_names_no_channels(void**) {
  assert_false(good("{}").grants.names_channels());
  const Grants none = good(R"({"channels":[]})").grants;
  assert_true(none.names_channels());
  assert_false(none.allows(Scope::subscribe, "news"));
}

void channels_are_strings_within_their_limits(void**) {
  const std::string longest(Grants::kMaxChannelLength, 'a');
  good("{\"channel\":\"" + longest + "\"}");
  assert_refused(TokenError::claims, "{\"channel\":\"" + longest + "a\"}");
  std::string many = "\"c\"";
  for (std::size_t i = 1; i < Grants::kMaxChannels; ++i) {
    many += ",\"c\"";
  }
  good("{\"channels\":[" + many + "]}");
  assert_refused(TokenError::claims, "{\"channels\":[" + many + ",\"c\"]}");
  assert_refused(TokenError::claims,
                 "{\"channels\":[" + many + "],\"topic\":\"c\"}");
  for (const Bytes claims :
       {R"({"channel":""})", R"({"channels":["a",""]})", R"({"channel":null})",
        R"({"channel":1})", R"({"channels":["a",1]})",
        R"({"channels":[["a"]]})", R"({"channels":{"a":{}}})"}) {
    assert_refused(TokenError::claims, claims);
  }
}

void assert_scopes(Bytes claims, bool subscribe, bool publish, bool history,
                   bool presence) {
  const Grants grants = good(claims).grants;
  assert_int_equal(grants.has(Scope::subscribe), subscribe);
  assert_int_equal(grants.has(Scope::publish), publish);
  assert_int_equal(grants.has(Scope::history), history);
  assert_int_equal(grants.has(Scope::presence), presence);
}

void scopes_are_words(void**) {
  assert_scopes(R"({"scope":"subscribe"})", true, false, false, false);
  assert_scopes(R"({"scope":"publish"})", false, true, false, false);
  assert_scopes(R"({"scope":"broadcast"})", false, true, false, false);
  assert_scopes(R"({"scope":"subscribe publish history presence"})", true, true,
                true, true);
  assert_scopes(R"({"scope":["history","presence"]})", false, false, true,
                true);
  assert_scopes(R"({"scope":["history presence"]})", false, false, true, true);
  assert_scopes(R"({"scope":"  publish   openid "})", false, true, false,
                false);
}

void a_token_without_scope_may_subscribe_only(void**) {
  assert_scopes("{}", true, false, false, false);
}

void a_scope_that_grants_nothing_grants_nothing(void**) {
  for (const Bytes claims :
       {R"({"scope":""})", R"({"scope":[]})", R"({"scope":" "})",
        R"({"scope":"openid email"})", R"({"scope":"Subscribe"})",
        R"({"scope":"subscribe,publish"})", R"({"scope":"*"})",
        R"({"scope":"xsubscribe publishx"})"}) {
    assert_scopes(claims, false, false, false, false);
  }
}

void scopes_are_strings(void**) {
  for (const Bytes claims :
       {R"({"scope":null})", R"({"scope":1})", R"({"scope":["publish",1]})",
        R"({"scope":{"publish":true}})"}) {
    assert_refused(TokenError::claims, claims);
  }
}

void expire_at_is_an_end_of_its_own(void**) {
  assert_true(good(R"({"exp":1700000009,"expire_at":1700000005})").expires ==
              kNow + 5);
  assert_true(good(R"({"expire_at":1700000005})").expires == kNow + 5);
  assert_false(good(R"({"exp":1700000009,"expire_at":0})").expires.has_value());
  assert_refused(TokenError::expired, R"({"exp":1,"expire_at":0})");
  assert_true(good(R"({"expire_at":1700000000.5})").expires == kNow + 1);
  assert_refused(TokenError::expired,
                 R"({"exp":1700000009,"expire_at":1700000000})");
  assert_refused(TokenError::claims, R"({"expire_at":"soon"})");
  assert_refused(TokenError::claims, R"({"expire_at":null})");
}

std::string subscriptions(Bytes claims) {
  std::string all;
  for (const auto& one : good(claims).subscriptions) {
    all.append(one.channel).append("=").append(one.data).append(";");
  }
  return all;
}

void channels_and_subs_are_to_be_subscribed_to(void**) {
  assert_string_equal(subscriptions(R"({"channels":["a","b*","c"]})").c_str(),
                      "a=;c=;");
  assert_string_equal(
      subscriptions(R"({"subs":{"x":{"data":{"a":1}},"y":{}}})").c_str(),
      R"(x={"a":1};y=;)");
  assert_string_equal(
      subscriptions(R"({"channel":"a","topics":["b"]})").c_str(), "");
  const Token token = good(R"({"subs":{"x*":{}},"scope":""})");
  assert_true(token.grants.allows(Scope::subscribe, "x*"));
  assert_false(token.grants.allows(Scope::subscribe, "xy"));
  for (const Bytes claims : {R"({"subs":["a"]})", R"({"subs":{"a":1}})",
                             R"({"subs":{"":{}}})", R"({"subs":null})"}) {
    assert_refused(TokenError::claims, claims);
  }
}

void a_token_of_a_channel_names_it(void**) {
  assert_string_equal(good(R"({"channel":"a"})").channel.c_str(), "a");
  assert_string_equal(good(R"({"channel":["a"]})").channel.c_str(), "");
  assert_string_equal(good(R"({"channels":["a"]})").channel.c_str(), "");
}

void what_others_may_see_stands_on_one_line(void**) {
  assert_string_equal(good("{\"info\":{\n\"a\" :\r[1]}}").info.c_str(),
                      R"({"a":[1]})");
  assert_string_equal(good(R"({"info":"a\nb"})").info.c_str(), R"("a\nb")");
  assert_string_equal(good(R"({"info":null})").info.c_str(), "");
  assert_string_equal(good("{}").info.c_str(), "");
}

void capabilities_permit(void**) {
  const Token token =
      good(R"({"caps":[{"channels":["a","b*"],"allow":["sub","pub","later"]},)"
           R"({"channels":["c*"],"allow":["hst","prs"],"match":"wildcard"}]})");
  const Grants& grants = token.grants;
  assert_true(grants.allows(Scope::subscribe, "a"));
  assert_true(grants.allows(Scope::publish, "b*"));
  assert_false(grants.allows(Scope::publish, "bc"));
  assert_true(grants.allows(Scope::history, "cd"));
  assert_true(grants.allows(Scope::presence, "c"));
  assert_false(grants.allows(Scope::subscribe, "cd"));
  assert_true(token.subscriptions.empty());
  assert_true(good(R"({"caps":[]})").grants.names_channels());
}

void user_stands_for_the_tokens_user(void**) {
  const Token token = good(
      R"({"sub":"ann","channels":["to:{user}","of:{user}:*","{user}-{user}"],)"
      R"("caps":[{"channels":["in:{user}"],"allow":["pub"]}]})");
  const Grants& grants = token.grants;
  assert_true(grants.allows(Scope::subscribe, "to:ann"));
  assert_false(grants.allows(Scope::subscribe, "to:annabel"));
  assert_false(grants.allows(Scope::subscribe, "to:{user}"));
  assert_true(grants.allows(Scope::subscribe, "of:ann:x"));
  assert_false(grants.allows(Scope::subscribe, "of:bob:x"));
  assert_true(grants.allows(Scope::subscribe, "ann-ann"));
  assert_true(grants.allows(Scope::publish, "in:ann"));
  assert_int_equal(token.subscriptions.size(), 2);
  assert_string_equal(token.subscriptions[0].channel.c_str(), "to:ann");
}

/// Else a name would open the channels of all.
void a_star_in_the_users_name_is_a_character(void**) {
  const Token token =
      good(R"({"sub":"*","channels":["to:{user}"],)"
           R"("caps":[{"channels":["in:{user}"],"allow":["pub"],)"
           R"("match":"wildcard"}]})");
  assert_true(token.grants.allows(Scope::subscribe, "to:*"));
  assert_false(token.grants.allows(Scope::subscribe, "to:ann"));
  assert_true(token.grants.allows(Scope::publish, "in:*"));
  assert_false(token.grants.allows(Scope::publish, "in:ann"));
}

void without_a_user_its_channels_are_passed_over(void**) {
  const Token token = good(R"({"channels":["to:{user}","a"]})");
  assert_false(token.grants.allows(Scope::subscribe, "to:"));
  assert_false(token.grants.allows(Scope::subscribe, "to:{user}"));
  assert_true(token.grants.allows(Scope::subscribe, "a"));
  assert_int_equal(token.subscriptions.size(), 1);
  assert_true(good(R"({"channels":["to:{user}"]})").grants.names_channels());
}

void capabilities_that_are_not_understood_refuse_the_token(void**) {
  for (const Bytes claims :
       {R"({"caps":{}})", R"({"caps":[1]})", R"({"caps":[{}]})",
        R"({"caps":[{"channels":["a"]}]})", R"({"caps":[{"allow":["sub"]}]})",
        R"({"caps":[{"channels":"a","allow":["sub"]}]})",
        R"({"caps":[{"channels":[1],"allow":["sub"]}]})",
        R"({"caps":[{"channels":["a"],"allow":[1]}]})",
        R"({"caps":[{"channels":["a"],"allow":["sub"],"match":"regex"}]})",
        R"({"caps":null})"}) {
    assert_refused(TokenError::claims, claims);
  }
}

void what_is_required_is_missed(void**) {
  TokenRules rules;
  rules.user_claims = {"sub"};
  rules.user_required = rules.scope_required = true;
  assert_refused(TokenError::claims, "{}", rules);
  assert_refused(TokenError::claims, R"({"userId":"a"})", rules);
  const Token without = good(R"({"sub":"","channel":"a"})", rules);
  assert_false(without.grants.has(Scope::subscribe));
  assert_false(without.grants.allows(Scope::subscribe, "a"));
  assert_true(good(R"({"sub":"a","scope":"subscribe"})", rules)
                  .grants.has(Scope::subscribe));
}

void exact_names_are_those_of_the_channel_claims_alone(void**) {
  TokenRules rules;
  rules.exact = true;
  const Token token = good(
      R"({"topics":["a*","b"],"channels":["c"],"subs":{"d":{}},)"
      R"("caps":[{"channels":["e*"],"allow":["sub"],"match":"wildcard"}]})",
      rules);
  for (const char* const name : {"a*", "b", "c"}) {
    assert_true(token.grants.allows(Scope::subscribe, name));
  }
  for (const char* const name : {"a", "ab", "d", "e", "ef", "e*"}) {
    assert_false(token.grants.allows(Scope::subscribe, name));
  }
  assert_true(token.subscriptions.empty());
  assert_true(good("{}", rules).grants.names_channels());
}

void claims_may_have_other_names(void**) {
  TokenRules rules;
  rules.user_claims = {"login", "mail"};
  rules.channel_claims = {"rooms"};
  rules.scope_claims = {"scp", "roles"};
  rules.info_claim = "profile";
  const Token token = good(
      R"({"sub":"x","mail":"ann@example.com","channel":"c","rooms":["a","b"],)"
      R"("scope":"subscribe","roles":["publish"],"info":1,"profile":{"n":2}})",
      rules);
  assert_string_equal(token.user.c_str(), "ann@example.com");
  assert_true(token.grants.allows(Scope::publish, "a"));
  assert_false(token.grants.allows(Scope::publish, "c"));
  assert_false(token.grants.allows(Scope::subscribe, "a"));
  assert_string_equal(token.info.c_str(), R"({"n":2})");
  assert_string_equal(good(R"({"rooms":"a"})", rules).channel.c_str(), "a");
}

void the_first_scope_claim_counts(void**) {
  TokenRules rules;
  rules.scope_claims = {"scp", "roles"};
  const Token token =
      good(R"({"channel":"a","scp":"history","roles":"publish"})", rules);
  assert_true(token.grants.allows(Scope::history, "a"));
  assert_false(token.grants.allows(Scope::publish, "a"));
}

void another_expiry_can_only_be_earlier(void**) {
  TokenRules rules;
  rules.expiry_claim = "session_end";
  assert_true(
      good(R"({"exp":1700000009,"session_end":1700000005})", rules).expires ==
      kNow + 5);
  assert_true(
      good(R"({"exp":1700000005,"session_end":1700000009})", rules).expires ==
      kNow + 5);
  assert_true(good(R"({"session_end":1700000005})", rules).expires == kNow + 5);
  assert_refused(TokenError::expired, R"({"session_end":1700000000})", rules);
  assert_refused(TokenError::expired,
                 R"({"exp":1700000000,"session_end":1700000009})", rules);
  assert_refused(TokenError::claims, R"({"session_end":"soon"})", rules);
  rules.expiry_required = true;
  assert_refused(TokenError::claims, "{}", rules);
  assert_true(good(R"({"session_end":1700000005})", rules).expires == kNow + 5);
}

void limits_count_where_a_claim_is_named_for_them(void**) {
  const Bytes text = R"({"limits":{"connections":2},"other":{"messages":3}})";
  assert_true(good(text).limits.empty());
  assert_true(good(R"({"limits":"mine"})").limits.empty());
  TokenRules rules;
  rules.limits_claim = "limits";
  assert_int_equal(good(text, rules).limits.connections, 2);
  assert_int_equal(good(text, rules).limits.messages.number, 0);
  assert_true(good("{}", rules).limits.empty());
  rules.limits_claim = "other";
  assert_int_equal(good(text, rules).limits.messages.number, 3);
  rules.exact = true;
  assert_int_equal(good(text, rules).limits.messages.number, 3);
}

void limits_that_are_not_understood_refuse_the_token(void**) {
  TokenRules rules;
  rules.limits_claim = "limits";
  for (const Bytes value : {"null", "5", "[]", R"({"connection":1})"}) {
    assert_refused(TokenError::limits, claim("limits", value), rules);
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_token_expires_at_its_second),
      cmocka_unit_test(leeway_moves_the_expiry),
      cmocka_unit_test(an_expiry_may_be_a_fraction),
      cmocka_unit_test(an_expiry_may_be_far_away),
      cmocka_unit_test(a_token_may_have_no_expiry_unless_it_must),
      cmocka_unit_test(a_token_may_not_be_from_the_future),
      cmocka_unit_test(times_are_numbers),
      cmocka_unit_test(the_issuer_is_the_one_asked_for),
      cmocka_unit_test(one_audience_is_ours),
      cmocka_unit_test(the_first_claim_that_is_there_names_the_user),
      cmocka_unit_test(a_token_may_have_an_id),
      cmocka_unit_test(channels_come_from_every_claim_that_names_them),
      cmocka_unit_test(no_channel_claim_names_no_channels),
      cmocka_unit_test(channels_are_strings_within_their_limits),
      cmocka_unit_test(scopes_are_words),
      cmocka_unit_test(a_token_without_scope_may_subscribe_only),
      cmocka_unit_test(a_scope_that_grants_nothing_grants_nothing),
      cmocka_unit_test(scopes_are_strings),
      cmocka_unit_test(expire_at_is_an_end_of_its_own),
      cmocka_unit_test(channels_and_subs_are_to_be_subscribed_to),
      cmocka_unit_test(a_token_of_a_channel_names_it),
      cmocka_unit_test(what_others_may_see_stands_on_one_line),
      cmocka_unit_test(capabilities_permit),
      cmocka_unit_test(user_stands_for_the_tokens_user),
      cmocka_unit_test(a_star_in_the_users_name_is_a_character),
      cmocka_unit_test(without_a_user_its_channels_are_passed_over),
      cmocka_unit_test(what_is_required_is_missed),
      cmocka_unit_test(exact_names_are_those_of_the_channel_claims_alone),
      cmocka_unit_test(capabilities_that_are_not_understood_refuse_the_token),
      cmocka_unit_test(claims_may_have_other_names),
      cmocka_unit_test(the_first_scope_claim_counts),
      cmocka_unit_test(another_expiry_can_only_be_earlier),
      cmocka_unit_test(limits_count_where_a_claim_is_named_for_them),
      cmocka_unit_test(limits_that_are_not_understood_refuse_the_token),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
