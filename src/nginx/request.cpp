#include "nginx/request.hpp"

#include <algorithm>

#include "nginx/pipeline.hpp"
#include "nginx/worker.hpp"

namespace paperboy::nginx {

namespace {

/// Visits the header fields in their order until `visit` returns false.
template <typename Visit>
void each_header(ngx_http_request_t* r, Visit&& visit) {
  for (const ngx_list_part_t* part = &r->headers_in.headers.part;
       part != nullptr; part = part->next) {
    const auto* const fields = static_cast<const ngx_table_elt_t*>(part->elts);
    for (ngx_uint_t i = 0; i < part->nelts; ++i) {
      if (!visit(fields[i])) return;
    }
  }
}

bool same_name(Bytes a, Bytes b) {
  return a.size() == b.size() &&
         ngx_strncasecmp(reinterpret_cast<u_char*>(const_cast<char*>(a.data())),
                         reinterpret_cast<u_char*>(const_cast<char*>(b.data())),
                         a.size()) == 0;
}

/// Not to the connection's log, whose handler would add the request line: a
/// token may stand in its arguments.
void log_refusal(ngx_http_request_t* r, ngx_str_t uri, Bytes rule,
                 Bytes message) {
  const auto* const core = static_cast<ngx_http_core_loc_conf_t*>(
      ngx_http_get_module_loc_conf(r, ngx_http_core_module));
  const ngx_str_t by = borrow(rule);
  const ngx_str_t text = borrow(message);
  const std::string shown = printable(uri);
  ngx_log_error(NGX_LOG_ERR, core->error_log, 0,
                "paperboy refused by %V: %V, client: %V, uri: \"%s\"", &by,
                &text, &r->connection->addr_text, shown.c_str());
}

void note(ngx_http_request_t* r, ngx_str_t uri, Refusal& refusal) {
  if (std::exchange(refusal.noted, true)) return;
  if (Worker* const worker = Worker::current()) {
    worker->context().counters.add(refusal.counter);
    if (!worker->limits().may_log(refusal.counter)) return;
  }
  log_refusal(r, uri, counter_name(refusal.counter), refusal.message);
}

bool may_be_overruled(ngx_http_request_t* r, ngx_int_t status) {
  const auto* const core = static_cast<ngx_http_core_loc_conf_t*>(
      ngx_http_get_module_loc_conf(r, ngx_http_core_module));
  return core->satisfy == NGX_HTTP_SATISFY_ANY && r == r->main &&
         (status == NGX_HTTP_UNAUTHORIZED || status == NGX_HTTP_FORBIDDEN);
}

/// What the end of a request finds: by then an error_page may have made nginx
/// forget our context and the URI.
struct Pending {
  ngx_http_request_t* r;
  Request* request;
  ngx_str_t uri;
};

void note_at_end(void* data) {
  auto& [r, request, uri] = *static_cast<Pending*>(data);
  // Who was let in after all has none any more.
  if (request->refusal.status != 0) note(r, uri, request->refusal);
}

bool note_later(ngx_http_request_t* r, Request& request) {
  auto* const cleanup = ngx_http_cleanup_add(r, sizeof(Pending));
  if (cleanup == nullptr) return false;
  *static_cast<Pending*>(cleanup->data) = {r, &request, r->uri};
  cleanup->handler = note_at_end;
  return true;
}

}  // namespace

Request* Request::find(ngx_http_request_t* r) {
  return static_cast<Request*>(
      ngx_http_get_module_ctx(r, ngx_http_paperboy_module));
}

Request* Request::of(ngx_http_request_t* r) {
  Request* request = find(r);
  if (request == nullptr) {
    request = make_in_pool<Request>(r->pool);
    ngx_http_set_ctx(r, request, ngx_http_paperboy_module);
  }
  return request;
}

ngx_int_t refuse(ngx_http_request_t* r, Request& request, ngx_int_t status,
                 Counter counter, Bytes error, Bytes message) {
  request.refusal = {status, error, std::string(message), counter};
  if (!may_be_overruled(r, status)) {
    note(r, request.refusal);
  } else if (!note_later(r, request)) {
    return NGX_ERROR;
  }
  const bool passing = status == NGX_HTTP_SERVICE_UNAVAILABLE;
  if (passing && !add_header(r, "Retry-After", "1")) return NGX_ERROR;
  return status;
}

ngx_int_t require_get(ngx_http_request_t* r, Request& request) {
  if ((r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD)) != 0) return NGX_OK;
  if (!add_header(r, "Allow", "GET, HEAD")) return NGX_ERROR;
  return refuse(r, request, NGX_HTTP_NOT_ALLOWED, Counter::refused_method,
                "method_not_allowed", "this is read with GET");
}

void note(ngx_http_request_t* r, Refusal& refusal) { note(r, r->uri, refusal); }

Bytes evaluate(ngx_http_request_t* r, Value value) {
  ngx_str_t text{};
  if (value == nullptr || ngx_http_complex_value(r, value, &text) != NGX_OK) {
    return {};
  }
  return bytes(text);
}

std::vector<std::string> named_channels(ngx_http_request_t* r,
                                        const LocationConf& conf) {
  const auto values = channel_values(r, conf);
  return {values.begin(), values.end()};
}

std::vector<Bytes> channel_values(ngx_http_request_t* r,
                                  const LocationConf& conf) {
  std::vector<Bytes> names;
  if (!conf.channels) return names;
  names.reserve(conf.channels->size());
  for (const Value value : *conf.channels) {
    const Bytes name = evaluate(r, value);
    const bool known = std::ranges::find(names, name) != names.end();
    if (!name.empty() && !known) names.push_back(name);
  }
  return names;
}

std::vector<ws::HeaderField> all_headers(ngx_http_request_t* r) {
  std::vector<ws::HeaderField> fields;
  each_header(r, [&](const ngx_table_elt_t& field) {
    fields.push_back({bytes(field.key), bytes(field.value)});
    return true;
  });
  return fields;
}

std::vector<Bytes> header_values(ngx_http_request_t* r, Bytes name) {
  std::vector<Bytes> values;
  each_header(r, [&](const ngx_table_elt_t& field) {
    if (same_name(bytes(field.key), name)) {
      values.push_back(bytes(field.value));
    }
    return true;
  });
  return values;
}

std::optional<Bytes> header_value(ngx_http_request_t* r, Bytes name) {
  std::optional<Bytes> value;
  each_header(r, [&](const ngx_table_elt_t& field) {
    if (!same_name(bytes(field.key), name)) return true;
    value = bytes(field.value);
    return false;
  });
  return value;
}

std::optional<std::string> argument(ngx_http_request_t* r, Bytes name) {
  ngx_str_t key = borrow(name);
  ngx_str_t value{};
  if (ngx_http_arg(r, key.data, key.len, &value) != NGX_OK) return {};
  std::string plain(value.len, '\0');
  auto* const begin = reinterpret_cast<u_char*>(plain.data());
  u_char* to = begin;
  u_char* from = value.data;
  ngx_unescape_uri(&to, &from, value.len, 0);
  plain.resize(static_cast<std::size_t>(to - begin));
  return plain;
}

std::string printable(ngx_str_t text) {
  constexpr Bytes kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : bytes(text)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\') {
      out += c;
    } else {
      out.append("\\x").append(1, kDigits[byte >> 4U]);
      out += kDigits[byte & 15U];
    }
  }
  return out;
}

bool add_header(ngx_http_request_t* r, Bytes name, Bytes value) {
  auto* const field =
      static_cast<ngx_table_elt_t*>(ngx_list_push(&r->headers_out.headers));
  if (field == nullptr) return false;
  *field = {};
  field->hash = 1;
  field->key = borrow(name);
  field->value = copy(r->pool, value);
  return field->value.data != nullptr;
}

ngx_int_t answer(ngx_http_request_t* r, ngx_uint_t status, Bytes type,
                 Bytes body) {
  if (ngx_http_discard_request_body(r) != NGX_OK) return NGX_ERROR;
  ngx_buf_t* const buffer = ngx_create_temp_buf(r->pool, body.size() + 1);
  if (buffer == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  if (!body.empty()) {
    buffer->last = ngx_cpymem(buffer->last, body.data(), body.size());
  }
  buffer->last_buf = r == r->main ? 1 : 0;
  buffer->last_in_chain = 1;
  buffer->memory = body.empty() ? 0 : 1;
  buffer->sync = body.empty() && r != r->main ? 1 : 0;
  buffer->temporary = 0;
  r->headers_out.status = status;
  r->headers_out.content_length_n = static_cast<off_t>(body.size());
  r->headers_out.content_type = borrow(type);
  r->headers_out.content_type_len = type.size();
  r->headers_out.content_type_lowcase = nullptr;
  hold_answer(r);
  const ngx_int_t sent = ngx_http_send_header(r);
  if (sent == NGX_ERROR || sent > NGX_OK || r->header_only != 0) return sent;
  ngx_chain_t chain{buffer, nullptr};
  return ngx_http_output_filter(r, &chain);
}

}  // namespace paperboy::nginx
