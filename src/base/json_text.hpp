// JSON as text: whether some bytes are JSON, and the bytes of its parts as
// they stand. For what has to pass through unchanged; json.hpp reads values,
// and rewrites numbers. Pure functions and borrowed bytes.
#pragma once

#include <cstddef>
#include <string>

#include "base/bytes.hpp"

namespace paperboy {

/// Of arrays and objects in one another, that is_json() follows.
inline constexpr std::size_t kJsonTextDepth = 512;

/// And of what wraps such a text in a message, at most so many more.
inline constexpr std::size_t kJsonTextWrapping = 8;

/// Exactly one value (RFC 8259), white space around it or not, nested no
/// deeper than `depth`. Whether it is UTF-8 is checked elsewhere. Takes no
/// stack and no heap for the nesting. REQUIRES: depth <= kJsonTextDepth +
/// kJsonTextWrapping.
[[nodiscard]] bool is_json(Bytes text, std::size_t depth = kJsonTextDepth);

/// The members of an object, in the order of the text:
///   for (JsonMembers m(text); m.next();) use(m.name(), m.value());
class JsonMembers {
 public:
  /// REQUIRES: is_json(object), and it is an object.
  explicit JsonMembers(Bytes object) : rest_(object) {}

  bool next();

  /// Between its quotes, escapes as they stand.
  [[nodiscard]] Bytes name() const { return name_; }
  [[nodiscard]] Bytes value() const { return value_; }

 private:
  Bytes rest_;
  Bytes name_;
  Bytes value_;
};

/// The elements of an array, in the same way.
class JsonElements {
 public:
  /// REQUIRES: is_json(array), and it is an array.
  explicit JsonElements(Bytes array) : rest_(array) {}

  bool next();
  [[nodiscard]] Bytes value() const { return value_; }

 private:
  Bytes rest_;
  Bytes value_;
  bool begun_ = false;
};

/// JSON texts one after the other, white space between them or not.
class JsonTexts {
 public:
  explicit JsonTexts(Bytes texts) : rest_(texts) {}

  /// False at the end, and where what comes is not JSON, or nested deeper than
  /// kJsonTextDepth + kJsonTextWrapping.
  bool next();
  [[nodiscard]] Bytes value() const { return value_; }
  [[nodiscard]] bool good() const { return good_; }

 private:
  Bytes rest_;
  Bytes value_;
  bool good_ = true;
};

/// Appends `text`, which is UTF-8, as a JSON string.
void append_json_string(std::string& out, Bytes text);

}  // namespace paperboy
