// JSON, read strictly and written compactly. The only file that knows jansson.
//
// A Json owns a reference to its value; what get(), at() and members() hand
// out shares it and stays valid after its parent has gone. It is bound to no
// worker, but must not be changed by two threads at once.
//
// Integers are jansson's 64 signed bits. A larger one in what is read is an
// error; a larger one that is written (integer() from 2^63 up) becomes a
// decimal string. No publication goes through here: jansson rewrites numbers.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

struct json_t;

namespace paperboy {

struct JsonLimits {
  std::size_t depth = 64;            // of arrays and objects in one another
  std::size_t size = 1024UL * 1024;  // bytes of text
};

class Json {
 public:
  using Member = std::pair<std::string, Json>;

  /// Reads exactly one value (RFC 8259). Refused: a name twice in an object,
  /// anything after the value (a NUL too), \u0000 in a string, what is not
  /// UTF-8, an integer beyond 64 signed bits, a number beyond a double.
  static Result<Json> parse(Bytes text, JsonLimits limits = {});

  static Json object();
  static Json array();
  static Json null();
  static Json boolean(bool value);

  /// Any bytes: those that are not UTF-8 become U+FFFD, each.
  static Json string(Bytes text);

  template <std::integral T>
  static Json integer(T value) {
    if constexpr (std::signed_integral<T>) {
      return from_signed(value);
    } else {
      return from_unsigned(value);
    }
  }

  /// No value at all: what get() and at() answer for what is not there.
  Json() = default;
  Json(Json&& other) noexcept = default;
  Json& operator=(Json&& other) noexcept = default;
  Json(const Json&) = delete;
  Json& operator=(const Json&) = delete;
  ~Json() = default;

  /// Sets a member of an object; members keep the order of their first
  /// setting. No value sets nothing. REQUIRES: is_object(). Returns *this, for
  /// chains.
  Json& set(Bytes key, Json value);

  /// Appends to an array. REQUIRES: is_array(). Returns *this.
  Json& append(Json value);

  /// Compact text, no spaces; "null" for no value.
  [[nodiscard]] std::string dump() const;

  /// False for no value; true for every value, JSON's null too.
  [[nodiscard]] explicit operator bool() const { return value_ != nullptr; }

  [[nodiscard]] bool is_object() const;
  [[nodiscard]] bool is_array() const;
  [[nodiscard]] bool is_string() const;
  [[nodiscard]] bool is_integer() const;
  [[nodiscard]] bool is_number() const;
  [[nodiscard]] bool is_boolean() const;
  [[nodiscard]] bool is_null() const;

  /// The string's bytes, valid while this or another Json holds the value;
  /// empty for what is no string.
  [[nodiscard]] Bytes as_string() const;

  /// Nothing for what is no integer: 1.0 is none.
  [[nodiscard]] std::optional<std::int64_t> as_integer() const;

  /// Integers and fractions, always finite; nothing for what is no number.
  [[nodiscard]] std::optional<double> as_number() const;

  /// Nothing for what is neither true nor false.
  [[nodiscard]] std::optional<bool> as_boolean() const;

  /// Of an array or object; 0 for anything else.
  [[nodiscard]] std::size_t size() const;

  /// The element of an array; no value where there is none.
  [[nodiscard]] Json at(std::size_t index) const;

  /// The member of an object; no value where there is none.
  [[nodiscard]] Json get(Bytes key) const;

  /// An object's members, in the order of the text; empty for anything else.
  [[nodiscard]] std::vector<Member> members() const;

 private:
  struct Release {
    void operator()(json_t* value) const;
  };

  explicit Json(json_t* owned) : value_(owned) {}
  static Json share(json_t* borrowed);
  static Json from_signed(std::int64_t value);
  static Json from_unsigned(std::uint64_t value);

  std::unique_ptr<json_t, Release> value_;
};

}  // namespace paperboy
