#include <algorithm>
#include <utility>

#include "base/base64.hpp"
#include "nginx/directives.hpp"
#include "nginx/material.hpp"

namespace paperboy::nginx {

namespace {

constexpr Bytes kNoKeyThere =
    "no key there; expected file=PATH of a file that can be read, or env=NAME "
    "of a variable that is set";

LocationConf& location(void* conf) { return *static_cast<LocationConf*>(conf); }

char* failed() { return static_cast<char*>(NGX_CONF_ERROR); }

bool has_variable(const ngx_str_t& text) {
  return bytes(text).find('$') != Bytes::npos;
}

struct KeyOptions {
  Bytes kid;
  bool base64 = false;  // what is there is the key's base64
};

/// False: it is none, or was given before.
bool read_key_option(const ngx_str_t& text, KeyOptions& options) {
  if (bytes(text) == "base64") return !std::exchange(options.base64, true);
  const auto named = option(bytes(text), "kid=");
  if (!named || named->empty() || !options.kid.empty()) return false;
  options.kid = *named;
  return true;
}

/// base64(1) breaks lines.
std::string without_space(std::string text) {
  std::erase_if(text,
                [](char c) { return Bytes(" \t\r\n").find(c) != Bytes::npos; });
  return text;
}

}  // namespace

std::optional<std::string> read_material(ngx_conf_t* cf,
                                         const ngx_str_t& place) {
  if (const auto name = option(bytes(place), "file=")) {
    return read_material_file(cf, *name);
  }
  if (const auto name = option(bytes(place), "env="))
    return read_environment(*name);
  return {};
}

char* add_key(ngx_conf_t* cf, auth::KeySet& keys) {
  const auto given = parameters(cf);
  const auto algorithm = auth::algorithm_by_name(bytes(given[0]));
  if (!algorithm) {
    return conf_error(cf, bytes(given[0]),
                      "no such algorithm; there are HS256, HS384, HS512, "
                      "RS256, RS384, RS512, PS256, PS384, PS512, ES256, "
                      "ES384, ES512 and EdDSA");
  }
  KeyOptions options;
  for (const ngx_str_t& one : given.subspan(2)) {
    if (!read_key_option(one, options)) {
      return conf_error(cf, bytes(one), "expected kid=ID or base64, each once");
    }
  }
  auto material = read_material(cf, given[1]);
  if (!material) return conf_error(cf, bytes(given[1]), kNoKeyThere);
  if (options.base64) {
    material = base64_decode(without_space(*material));
    if (!material) return conf_error(cf, bytes(given[1]), "no base64 there");
  }
  auto key = auth::Key::load(*algorithm, *material, options.kid);
  if (!key) return conf_error(cf, bytes(given[1]), key.error());
  if (key->weak()) {
    return conf_error(cf, bytes(given[1]),
                      "the secret is shorter than the hash of its algorithm "
                      "and may be guessed from a token: HS256 needs 32 bytes, "
                      "HS384 48, HS512 64");
  }
  if (!auth::is_hmac(*algorithm)) {
    MainConf& main = main_conf(cf);
    main.has_public_keys = true;
    keys.remember_in(&main.token_cache);
  }
  const auto added = keys.add(std::move(*key));
  return added ? NGX_CONF_OK : conf_error(cf, bytes(given[1]), added.error());
}

char* set_origin(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  LocationConf& here = location(conf);
  static char text[] = "is duplicate";
  if (here.own_origins) return text;
  here.own_origins.emplace();
  for (const ngx_str_t& given : parameters(cf)) {
    Origin origin;
    // In a regular expression `$` is an end, not a variable.
    if (has_variable(given) && given.data[0] != '~') {
      origin.value = compile_value(cf, given);
      if (origin.value == nullptr) return failed();
    } else {
      auto rule = auth::OriginRule::parse(bytes(given));
      if (!rule) return conf_error(cf, bytes(given), rule.error().message);
      origin.rule = std::move(*rule);
    }
    here.own_origins->push_back(std::move(origin));
  }
  return NGX_CONF_OK;
}

char* set_jwt_key(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  LocationConf& here = location(conf);
  const auto given = parameters(cf);
  const bool off = given.size() == 1 && bytes(given[0]) == "off";
  if (here.issuer_confs) {
    return conf_error(cf, "paperboy_jwt_key", kKeysOrIssuers);
  }
  if (here.keys && (off || here.keys->empty())) {
    return conf_error(cf, "off",
                      "paperboy_jwt_key is off or names keys here,"
                      " not both");
  }
  if (!here.keys) here.keys = std::make_shared<auth::KeySet>();
  if (off) return NGX_CONF_OK;
  if (given.size() == 1) {
    return conf_error(cf, bytes(given[0]),
                      "expected off, or an algorithm and where its key is");
  }
  return add_key(cf, *here.keys);
}

/// Whether a header can carry it, and nobody guesses it.
char* set_api_key(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  constexpr std::size_t kShort = 16;
  LocationConf& here = location(conf);
  const ngx_str_t& place = parameters(cf)[0];
  const auto key = read_material(cf, place);
  if (!key) return conf_error(cf, bytes(place), kNoKeyThere);
  const bool visible =
      std::ranges::all_of(*key, [](char c) { return c > ' ' && c < 0x7F; });
  if (key->empty() || !visible) {
    return conf_error(cf, bytes(place),
                      "a key is of visible ASCII characters, without spaces");
  }
  if (key->size() < kShort) {
    ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                       "the key in \"%V\" is shorter than 16 characters and "
                       "may be guessed",
                       &place);
  }
  if (!here.api_keys) {
    here.api_keys = std::make_shared<std::vector<auth::SecretBytes>>();
  }
  here.api_keys->emplace_back(*key);
  return NGX_CONF_OK;
}

char* set_token_cache(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  constexpr ssize_t kLeast = 64L * 1024;
  static char text[] = "is duplicate";
  auto& size = static_cast<MainConf*>(conf)->token_cache_size;
  if (size) return text;
  ngx_str_t& given = parameters(cf)[0];
  if (bytes(given) == "off") {
    size = 0;
    return NGX_CONF_OK;
  }
  const ssize_t parsed = ngx_parse_size(&given);
  if (parsed < kLeast) {
    return conf_error(cf, bytes(given),
                      "expected off, or a size of 64k or more");
  }
  size = static_cast<std::size_t>(parsed);
  return NGX_CONF_OK;
}

char* set_token(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  LocationConf& here = location(conf);
  static char text[] = "is duplicate";
  if (here.token_sources) return text;
  here.token_sources.emplace();
  for (const ngx_str_t& given : parameters(cf)) {
    TokenSource source;
    if (bytes(given) == "subprotocol") {
      source.subprotocol = true;
    } else if (!has_variable(given)) {
      return conf_error(cf, bytes(given),
                        "neither a variable nor \"subprotocol\"");
    } else {
      source.value = compile_value(cf, given);
      if (source.value == nullptr) return failed();
    }
    here.token_sources->push_back(source);
  }
  return NGX_CONF_OK;
}

char* set_audience(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  LocationConf& here = location(conf);
  static char text[] = "is duplicate";
  if (here.audiences) return text;
  here.audiences.emplace();
  for (const ngx_str_t& given : parameters(cf)) {
    here.audiences->emplace_back(bytes(given));
  }
  return NGX_CONF_OK;
}

}  // namespace paperboy::nginx
