#include "base/json.hpp"

#include <jansson.h>

#include <limits>

#include "base/utf8.hpp"

namespace paperboy {

namespace {

constexpr Bytes kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// jansson reads recursively with a fixed bound of its own (2048), so ours is
// found before it starts: brackets outside of strings, matched or not.
bool deeper_than(Bytes text, std::size_t limit) {
  std::size_t depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '\\') {
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && (c == '{' || c == '[')) {
      if (++depth > limit) {
        return true;
      }
    } else if (!quoted && (c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return false;
}

// The length of the character at the start of `text`; 0: it is none.
std::size_t character_size(Bytes text) {
  for (std::size_t n = 1; n <= 4 && n <= text.size(); ++n) {
    if (is_utf8(text.substr(0, n))) {
      return n;
    }
  }
  return 0;
}

std::string repaired(Bytes text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t n = character_size(text);
    out += n == 0 ? kReplacement : text.substr(0, n);
    text.remove_prefix(n == 0 ? 1 : n);
  }
  return out;
}

int append_to(const char* buffer, std::size_t size, void* out) {
  static_cast<std::string*>(out)->append(buffer, size);
  return 0;
}

Bytes why(enum json_error_code code) {
  switch (code) {
    case json_error_duplicate_key:
      return "JSON: a name stands twice in an object";
    case json_error_invalid_utf8:
      return "JSON: not UTF-8";
    case json_error_null_character:
    case json_error_null_byte_in_key:
      return "JSON: \\u0000 is not accepted";
    case json_error_numeric_overflow:
      return "JSON: a number is too large";
    case json_error_end_of_input_expected:
      return "JSON: something follows the value";
    case json_error_premature_end_of_input:
      return "JSON: ends too early";
    default:
      return "JSON: malformed";
  }
}

}  // namespace

void Json::Release::operator()(json_t* value) const { json_decref(value); }

Json Json::share(json_t* borrowed) { return Json(json_incref(borrowed)); }

Result<Json> Json::parse(Bytes text, JsonLimits limits) {
  if (text.size() > limits.size) {
    return Error{ErrorCode::too_large, "JSON: too large"};
  }
  if (deeper_than(text, limits.depth)) {
    return Error{ErrorCode::bad_request, "JSON: nested too deeply"};
  }
  json_error_t error;
  json_t* value =
      json_loadb(text.data() == nullptr ? "" : text.data(), text.size(),
                 JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
  if (value == nullptr) {
    return Error{ErrorCode::bad_request, why(json_error_code(&error))};
  }
  Json json(value);
  // jansson takes a NUL after a number or word for the end of its input; none
  // is part of a value.
  if (text.find('\0') != Bytes::npos) {
    return Error{ErrorCode::bad_request, "JSON: something follows the value"};
  }
  return json;
}

Json Json::object() { return Json(json_object()); }
Json Json::array() { return Json(json_array()); }
Json Json::null() { return Json(json_null()); }
Json Json::boolean(bool value) { return Json(json_boolean(value)); }
Json Json::from_signed(std::int64_t value) { return Json(json_integer(value)); }

Json Json::from_unsigned(std::uint64_t value) {
  if (value > std::numeric_limits<std::int64_t>::max()) {
    return string(std::to_string(value));
  }
  return from_signed(static_cast<std::int64_t>(value));
}

Json Json::string(Bytes text) {
  if (is_utf8(text)) {
    return Json(
        json_stringn_nocheck(text.empty() ? "" : text.data(), text.size()));
  }
  const std::string valid = repaired(text);
  return Json(json_stringn_nocheck(valid.data(), valid.size()));
}

Json& Json::set(Bytes key, Json value) {
  const std::string name = repaired(key);
  json_object_setn_new_nocheck(value_.get(), name.data(), name.size(),
                               value.value_.release());
  return *this;
}

Json& Json::append(Json value) {
  json_array_append_new(value_.get(), value.value_.release());
  return *this;
}

std::string Json::dump() const {
  std::string out;
  if (!value_) {
    return "null";
  }
  json_dump_callback(value_.get(), append_to, &out,
                     JSON_COMPACT | JSON_ENCODE_ANY);
  return out;
}

bool Json::is_object() const { return json_is_object(value_.get()); }
bool Json::is_array() const { return json_is_array(value_.get()); }
bool Json::is_string() const { return json_is_string(value_.get()); }
bool Json::is_integer() const { return json_is_integer(value_.get()); }
bool Json::is_number() const { return json_is_number(value_.get()); }
bool Json::is_boolean() const { return json_is_boolean(value_.get()); }
bool Json::is_null() const { return json_is_null(value_.get()); }

Bytes Json::as_string() const {
  if (!is_string()) {
    return {};
  }
  return {json_string_value(value_.get()), json_string_length(value_.get())};
}

std::optional<std::int64_t> Json::as_integer() const {
  if (!is_integer()) {
    return std::nullopt;
  }
  return json_integer_value(value_.get());
}

std::optional<double> Json::as_number() const {
  if (!is_number()) {
    return std::nullopt;
  }
  return json_number_value(value_.get());
}

std::optional<bool> Json::as_boolean() const {
  if (!is_boolean()) {
    return std::nullopt;
  }
  return json_is_true(value_.get());
}

std::size_t Json::size() const {
  return is_array() ? json_array_size(value_.get())
                    : json_object_size(value_.get());
}

Json Json::at(std::size_t index) const {
  return share(json_array_get(value_.get(), index));
}

Json Json::get(Bytes key) const {
  return share(json_object_getn(value_.get(), key.empty() ? "" : key.data(),
                                key.size()));
}

std::vector<Json::Member> Json::members() const {
  std::vector<Member> out;
  out.reserve(json_object_size(value_.get()));
  for (void* it = json_object_iter(value_.get()); it != nullptr;
       it = json_object_iter_next(value_.get(), it)) {
    out.emplace_back(
        Bytes(json_object_iter_key(it), json_object_iter_key_len(it)),
        share(json_object_iter_value(it)));
  }
  return out;
}

}  // namespace paperboy
