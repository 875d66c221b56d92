// What a token's form and header may be. Which signatures match is
// signature_test's, what claims say claims_test's.
#include "auth/jwt.hpp"

#include <string>

#include "auth/tokens.hpp"
#include "test.hpp"

namespace {

using paperboy::Bytes;
using namespace paperboy::auth;
using namespace paperboy::auth::test;

using namespace std::string_view_literals;

constexpr Bytes kHeader = R"({"alg":"HS256","typ":"JWT"})";

void accepts_a_good_token(void**) {
  const KeySet keys = hs256_key();
  assert_good(hs256_token(R"({"sub":"ann"})"), keys);
  auto token =
      verify(hs256_token(R"({"sub":"ann","jti":"7"})"), keys, {}, kNow);
  assert_string_equal(token->user.c_str(), "ann");
  assert_string_equal(token->id.c_str(), "7");
  assert_false(token->expires.has_value());
}

void a_token_has_three_parts(void**) {
  const KeySet keys = hs256_key();
  const std::string good = hs256_token("{}");
  const std::size_t dot = good.rfind('.');
  assert_error(TokenError::missing, "", keys);
  assert_error(TokenError::missing, {}, keys);
  for (const std::string& token :
       {std::string("."), std::string(".."), std::string("..."),
        std::string("a"), good.substr(0, dot), good + ".", good + ".x",
        "." + good, "." + good.substr(good.find('.') + 1),
        good.substr(0, good.find('.')) + "." + good.substr(dot),
        good.substr(0, dot) + "." + good.substr(dot)}) {
    assert_error(TokenError::malformed, token, keys);
  }
  assert_error(TokenError::signature, good.substr(0, dot + 1), keys);
}

void parts_are_strict_base64url(void**) {
  const KeySet keys = hs256_key();
  const std::string good = hs256_token("{}");
  const std::string header = base64url(kHeader);
  assert_good(signed_hs256(header + ".e30"), keys);
  for (const std::string& token :
       {good + "=", good + " ", " " + good, good + "\n",
        good + std::string(1, '\0'), good + std::string("\0x", 2),
        signed_hs256(header + "=.e30"), signed_hs256(header + ".e30="),
        signed_hs256(header + ".e30\n"), signed_hs256(header + ".e31"),
        signed_hs256(header + ".e3"), signed_hs256(header + ".e30\xc3\xa9")}) {
    assert_error(TokenError::malformed, token, keys);
  }
}

void a_token_has_8_kib(void**) {
  const KeySet keys = hs256_key();
  const auto with_padding = [](std::size_t n) {
    return hs256_token("{\"x\":\"" + std::string(n, 'x') + "\"}");
  };
  assert_good(with_padding(6000), keys);
  assert_error(TokenError::too_large, with_padding(6200), keys);
  assert_error(TokenError::too_large, with_padding(9'000'000), keys);
  std::string largest(kMaxTokenSize, 'A');
  assert_error(TokenError::malformed, largest, keys);
}

void the_header_is_one_strict_json_object(void**) {
  const KeySet keys = hs256_key();
  const Bytes refused[] = {
      "[]"sv,
      "null"sv,
      "\"HS256\""sv,
      "{"sv,
      " "sv,
      R"({"alg":"HS256"}x)"sv,
      R"({"alg":"HS256"}{})"sv,
      "{\"alg\":\"HS256\"}\0"sv,
      "{\"alg\":\"HS256\"}\0{\"alg\":\"none\"}"sv,
      "{\"alg\":\"HS256\0\"}"sv,
      R"({"alg":"HS256\u0000"})"sv,
      R"({"alg":"HS256","alg":"HS256"})"sv,
      R"({"alg":"none","alg":"HS256"})"sv,
      R"({"alg":"HS256","\u0061lg":"none"})"sv,
      R"({"alg":"HS256","typ":"JWT","typ":"JWT"})"sv,
      R"({"alg":"HS256","kid":"a","kid":"b"})"sv,
      "{\"alg\":\"HS256\",\"x\":\"\xff\"}"sv,
      R"({"alg":["HS256"]})"sv,
      R"({"alg":null})"sv,
      R"({"alg":1})"sv,
      R"({})"sv,
      R"({"typ":"JWT"})"sv,
  };
  for (const Bytes header : refused) {
    assert_error(TokenError::malformed, hs256_token(header, "{}"), keys);
  }
  assert_good(hs256_token(R"( { "alg" : "HS256" } )", "{}"), keys);
  assert_good(hs256_token(R"({"alg":"HS256","x":{"y":[1,2.5]}})", "{}"), keys);
}

void nesting_is_limited(void**) {
  const KeySet keys = hs256_key();
  const auto nested = [](std::size_t n) {
    return R"({"alg":"HS256","x":)" + std::string(n, '[') +
           std::string(n, ']') + "}";
  };
  assert_good(hs256_token(nested(15), nested(15)), keys);
  assert_error(TokenError::malformed, hs256_token(nested(16), "{}"), keys);
  assert_error(TokenError::malformed, hs256_token(kHeader, nested(16)), keys);
  assert_error(TokenError::malformed, hs256_token(kHeader, nested(2900)), keys);
}

void the_payload_is_one_strict_json_object(void**) {
  const KeySet keys = hs256_key();
  for (const Bytes payload :
       {"[]"sv, "null"sv, "\"x\""sv, "{"sv, "{}{}"sv, "{}\0"sv,
        "{}\0{\"sub\":\"root\"}"sv, R"({"sub":"a","sub":"b"})"sv,
        R"({"exp":1,"exp":9999999999})"sv, R"({"exp":1,"e\u0078p":2})"sv,
        "{\"sub\":\"\xff\"}"sv, R"({"sub":"a\u0000b"})"sv,
        "{\"sub\":\"a\0b\"}"sv, R"({"exp":1e999})"sv, R"({"exp":NaN})"sv}) {
    assert_error(TokenError::malformed, hs256_token(payload), keys);
  }
}

void no_extension_is_critical(void**) {
  const KeySet keys = hs256_key();
  for (const Bytes crit : {R"(["b64"])", R"([])", R"(["exp"])", "null"}) {
    const std::string header =
        R"({"alg":"HS256","b64":false,"crit":)" + std::string(crit) + "}";
    assert_error(TokenError::malformed, hs256_token(header, "{}"), keys);
  }
  for (const Bytes member : {R"("b64":false)", R"("b64":true)",
                             R"("zip":"DEF")", R"("enc":"A128GCM")"}) {
    const std::string header = R"({"alg":"HS256",)" + std::string(member) + "}";
    assert_error(TokenError::malformed, hs256_token(header, "{}"), keys);
  }
}

void typ_says_what_kind_of_token_it_is(void**) {
  const KeySet keys = hs256_key();
  const auto with_typ = [](const std::string& typ) {
    return hs256_token(R"({"alg":"HS256","typ":)" + typ + "}",
                       R"({"sub":"ann"})");
  };
  for (const char* typ :
       {R"("JWT")", R"("jwt")", R"("Jwt")", R"("at+jwt")", R"("AT+JWT")"}) {
    assert_good(with_typ(typ), keys);
  }
  assert_good(hs256_token(R"({"alg":"HS256"})", "{}"), keys);
  for (const char* typ : {R"("logout+jwt")", R"("JWE")", R"("")", "null", "1",
                          R"(["JWT"])", R"("JWT ")"}) {
    assert_error(TokenError::malformed, with_typ(typ), keys);
  }
}

void an_access_token_needs_its_signature_too(void**) {
  const std::string token =
      hs256_token(R"({"alg":"HS256","typ":"at+jwt"})", "{}");
  assert_error(TokenError::signature, token,
               one_key(Algorithm::hs256, "another"));
  assert_error(TokenError::signature, token.substr(0, token.rfind('.') + 1),
               hs256_key());
  const std::string rs = made(Algorithm::rs256, "{}");
  assert_error(TokenError::algorithm, token,
               one_key(Algorithm::rs256, rsa().public_pem));
}

void none_is_no_algorithm(void**) {
  for (const Bytes alg : {"none", "None", "NONE", "", "hs256", "Hs256",
                          "HS256 ", "nOnE", "RS1", "EDDSA", "HS1"}) {
    const std::string header = R"({"alg":")" + std::string(alg) + "\"}";
    for (const Algorithm algorithm : kAlgorithms) {
      const KeySet keys = one_key(algorithm, pair_for(algorithm).public_pem);
      assert_error(TokenError::algorithm, hs256_token(header, "{}"), keys);
      assert_error(TokenError::algorithm,
                   base64url(header) + "." + base64url("{}") + ".", keys);
    }
  }
}

void the_key_pins_the_algorithm(void**) {
  for (const Algorithm key : kAlgorithms) {
    const KeySet keys = one_key(key, pair_for(key).public_pem);
    for (const Algorithm other : kAlgorithms) {
      if (other != key) {
        assert_error(TokenError::algorithm, made(other, "{}"), keys);
      }
    }
  }
}

void a_public_key_is_no_secret(void**) {
  for (const Algorithm algorithm : {Algorithm::rs256, Algorithm::es256}) {
    const KeySet keys = one_key(algorithm, pair_for(algorithm).public_pem);
    const std::string forged =
        signed_hs256(base64url(kHeader) + "." + base64url("{}"),
                     pair_for(algorithm).public_pem);
    assert_error(TokenError::algorithm, forged, keys);
  }
}

void the_empty_key_signs_nothing(void**) {
  const std::string forged =
      signed_hs256(base64url(kHeader) + "." + base64url("{}"), "");
  assert_error(TokenError::signature, forged, hs256_key());
  assert_error(TokenError::unknown_key, forged, KeySet());
}

void the_kid_chooses_the_key(void**) {
  KeySet keys = one_key(Algorithm::hs256, kSecret, "k1");
  add_key(keys, Algorithm::hs256, "another", "k2");
  add_key(keys, Algorithm::rs256, rsa().public_pem, "r1");
  const auto with_kid = [](const std::string& kid) {
    return hs256_token(R"({"alg":"HS256","kid":)" + kid + "}", "{}");
  };
  assert_good(with_kid(R"("k1")"), keys);
  assert_good(made(Algorithm::rs256, "{}", "r1"), keys);
  assert_error(TokenError::signature, with_kid(R"("k2")"), keys);
  assert_error(TokenError::algorithm, with_kid(R"("r1")"), keys);
  for (const char* kid :
       {R"("k3")", R"("")", R"("K1")", R"("k1 ")", R"("../../dev/null")",
        R"("/etc/passwd")", R"("' OR 1=1 --")"}) {
    assert_error(TokenError::unknown_key, with_kid(kid), keys);
  }
  for (const char* kid : {"null", "1", R"(["k1"])", R"({"k1":1})"}) {
    assert_error(TokenError::malformed, with_kid(kid), keys);
  }
}

void keys_without_a_name_are_for_tokens_without_one(void**) {
  KeySet keys = one_key(Algorithm::hs256, "old");
  add_key(keys, Algorithm::hs512, kSecret);
  add_key(keys, Algorithm::hs256, kSecret);
  add_key(keys, Algorithm::hs256, "named", "k1");
  assert_good(hs256_token("{}"), keys);
  assert_good(made(Algorithm::hs512, "{}"), keys);
  assert_error(TokenError::algorithm, made(Algorithm::rs256, "{}"), keys);
  assert_error(TokenError::unknown_key,
               hs256_token(R"({"alg":"HS256","kid":"k9"})", "{}"), keys);
  assert_error(TokenError::unknown_key, hs256_token("{}"),
               one_key(Algorithm::hs256, kSecret, "k1"));
}

void keys_in_the_header_are_ignored(void**) {
  const std::string header =
      R"({"alg":"HS256","jku":"http://evil/","jwk":{"kty":"oct","k":""},)"
      R"("x5u":"http://evil/","x5c":["AAAA"]})";
  assert_good(hs256_token(header, "{}"), hs256_key());
  assert_error(TokenError::signature, hs256_token(header, "{}"),
               one_key(Algorithm::hs256, "another"));
}

void a_header_that_comes_again_says_what_it_said(void**) {
  KeySet keys = one_key(Algorithm::hs256, kSecret, "k1");
  add_key(keys, Algorithm::hs256, "another", "k2");
  const auto with_header = [](Bytes header) {
    return hs256_token(header, "{}");
  };
  const std::string first = with_header(R"({"alg":"HS256","kid":"k1"})");
  const std::string other = with_header(R"({"alg":"HS256","kid":"k2"})");
  const std::string broken = with_header(R"({"alg":"HS256","kid":"k1"},)");
  for (int i = 0; i < 2; ++i) {
    assert_good(first, keys);
    assert_good(first, keys);
    assert_error(TokenError::signature, other, keys);
    assert_error(TokenError::signature, other, keys);
    assert_error(TokenError::malformed, broken, keys);
    assert_error(TokenError::malformed, broken, keys);
  }
}

void every_error_has_a_text(void**) {
  for (int i = 0; i <= static_cast<int>(TokenError::unknown_so_far); ++i) {
    const Bytes text = token_error_text(static_cast<TokenError>(i));
    assert_false(text.empty());
    assert_true(text != "the token is refused");
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(accepts_a_good_token),
      cmocka_unit_test(a_token_has_three_parts),
      cmocka_unit_test(parts_are_strict_base64url),
      cmocka_unit_test(a_token_has_8_kib),
      cmocka_unit_test(the_header_is_one_strict_json_object),
      cmocka_unit_test(nesting_is_limited),
      cmocka_unit_test(the_payload_is_one_strict_json_object),
      cmocka_unit_test(no_extension_is_critical),
      cmocka_unit_test(typ_says_what_kind_of_token_it_is),
      cmocka_unit_test(an_access_token_needs_its_signature_too),
      cmocka_unit_test(none_is_no_algorithm),
      cmocka_unit_test(the_key_pins_the_algorithm),
      cmocka_unit_test(a_public_key_is_no_secret),
      cmocka_unit_test(the_empty_key_signs_nothing),
      cmocka_unit_test(the_kid_chooses_the_key),
      cmocka_unit_test(keys_without_a_name_are_for_tokens_without_one),
      cmocka_unit_test(keys_in_the_header_are_ignored),
      cmocka_unit_test(a_header_that_comes_again_says_what_it_said),
      cmocka_unit_test(every_error_has_a_text),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
