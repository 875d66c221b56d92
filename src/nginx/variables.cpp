// $paperboy_…: at the handshake, for access_log, maps and headers, what is
// known by then; in the log of ended connections (log_format.cpp) all of them.
#include <array>

#include "nginx/handlers.hpp"
#include "nginx/request.hpp"

namespace paperboy::nginx {

namespace {

enum class Early : uintptr_t { user, channels, refusal, none };

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    if (!text.empty()) text += ", ";
    text += name;
  }
  return text;
}

std::string early_value(const Request& request, Early what) {
  switch (what) {
    case Early::user:
      return request.identity.user;
    case Early::channels:
      return joined(request.channels);
    case Early::refusal:
      return request.refusal.message;
    case Early::none:
      break;
  }
  return {};
}

ngx_int_t get(ngx_http_request_t* r, ngx_http_variable_value_t* value,
              uintptr_t data) {
  const Request* const request = Request::find(r->main);
  const std::string text =
      request == nullptr ? std::string()
                         : early_value(*request, static_cast<Early>(data));
  value->not_found = text.empty() ? 1 : 0;
  value->valid = text.empty() ? 0 : 1;
  value->no_cacheable = 1;
  if (text.empty()) return NGX_OK;
  const ngx_str_t copied = copy(r->pool, text);
  if (copied.data == nullptr) return NGX_ERROR;
  value->data = copied.data;
  value->len = static_cast<unsigned>(copied.len);
  return NGX_OK;
}

struct Name {
  Bytes name;
  Early what;
};

constexpr std::array kNames{
    Name{"paperboy_user", Early::user},
    Name{"paperboy_channels", Early::channels},
    Name{"paperboy_refusal", Early::refusal},
    Name{"paperboy_close_code", Early::none},
    Name{"paperboy_close_reason", Early::none},
    Name{"paperboy_closed_by", Early::none},
    Name{"paperboy_duration", Early::none},
    Name{"paperboy_messages_received", Early::none},
    Name{"paperboy_messages_sent", Early::none},
    Name{"paperboy_bytes_received", Early::none},
    Name{"paperboy_bytes_sent", Early::none},
};

}  // namespace

ngx_int_t add_variables(ngx_conf_t* cf) {
  for (const Name& known : kNames) {
    ngx_str_t name = borrow(known.name);
    ngx_http_variable_t* const variable =
        ngx_http_add_variable(cf, &name, NGX_HTTP_VAR_NOCACHEABLE);
    if (variable == nullptr) return NGX_ERROR;
    variable->get_handler = callback<get>;
    variable->data = static_cast<uintptr_t>(known.what);
  }
  return NGX_OK;
}

}  // namespace paperboy::nginx
