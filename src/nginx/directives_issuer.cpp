// paperboy_issuer, and which claims of a token are which.
#include "nginx/directives.hpp"

namespace paperboy::nginx {

namespace {

constexpr Bytes kName = "paperboy_issuer";

/// Beside its other forms: the block of an issuer has lines without a prefix.
char* read_claim(ngx_conf_t* cf, ClaimNames& claims) {
  const auto given = parameters(cf);
  const Bytes kind = given.empty() ? Bytes() : bytes(given[0]);
  struct Row {
    Bytes kind;
    std::optional<std::vector<std::string>>& names;
    bool one;
  };
  for (const Row& row :
       {Row{"user", claims.user, false},
        Row{"channels", claims.channels, false},
        Row{"scope", claims.scope, false}, Row{"info", claims.info, true},
        Row{"expiry", claims.expiry, true},
        Row{"limits", claims.limits, true}}) {
    if (kind != row.kind) continue;
    if (row.names) return conf_error(cf, kind, "is duplicate");
    if (given.size() < 2 || (row.one && given.size() > 2)) {
      return conf_error(cf, kind,
                        row.one ? "expected the name of one claim"
                                : "expected names of claims");
    }
    row.names.emplace();
    for (const ngx_str_t& name : given.subspan(1)) {
      row.names->emplace_back(bytes(name));
    }
    return NGX_CONF_OK;
  }
  return conf_error(cf, kind,
                    "expected user, channels, scope, info, expiry or limits");
}

char* read_audience(ngx_conf_t* cf, IssuerConf& issuer) {
  if (issuer.audiences) return conf_error(cf, "audience", "is duplicate");
  issuer.audiences.emplace();
  for (const ngx_str_t& given : parameters(cf)) {
    issuer.audiences->emplace_back(bytes(given));
  }
  return NGX_CONF_OK;
}

/// A line of the block.
char* read_line(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  auto& issuer = *static_cast<IssuerConf*>(conf);
  const auto given = parameters(cf);
  const Bytes name = bytes(static_cast<ngx_str_t*>(cf->args->elts)[0]);
  if (name == "key" && given.size() >= 2) return add_key(cf, *issuer.keys);
  if (name == "jwks" && !given.empty()) {
    return add_jwks(cf, given, *issuer.keys);
  }
  if (name == "audience" && !given.empty()) return read_audience(cf, issuer);
  if (name == "claim") return read_claim(cf, issuer.claims);
  return conf_error(cf, name,
                    "in paperboy_issuer stand key ALGORITHM PLACE, jwks PLACE, "
                    "audience NAME and claim KIND NAME");
}

char* parse_block(ngx_conf_t* cf, IssuerConf& issuer) {
  const ngx_conf_t outer = *cf;
  cf->handler = callback<read_line>;
  cf->handler_conf = reinterpret_cast<char*>(&issuer);
  char* const bad = ngx_conf_parse(cf, nullptr);
  *cf = outer;
  return bad;
}

}  // namespace

char* set_issuer(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  LocationConf& here = *static_cast<LocationConf*>(conf);
  if (here.keys) return conf_error(cf, kName, kKeysOrIssuers);
  IssuerConf issuer;
  issuer.name = bytes(parameters(cf)[0]);
  issuer.keys = std::make_shared<auth::KeySet>();
  if (issuer.name.empty()) return conf_error(cf, kName, "needs a name");
  for (const IssuerConf& other :
       here.issuer_confs.value_or(std::vector<IssuerConf>())) {
    if (other.name == issuer.name) {
      return conf_error(cf, issuer.name, "there is such an issuer already");
    }
  }
  if (char* const bad = parse_block(cf, issuer); bad != NGX_CONF_OK) return bad;
  if (issuer.keys->empty()) {
    return conf_error(cf, issuer.name, "this issuer has neither key nor jwks");
  }
  if (!here.issuer_confs) here.issuer_confs.emplace();
  here.issuer_confs->push_back(std::move(issuer));
  return NGX_CONF_OK;
}

char* set_token_claim(ngx_conf_t* cf, ngx_command_t*, void* conf) {
  return read_claim(cf, static_cast<LocationConf*>(conf)->claims);
}

}  // namespace paperboy::nginx
