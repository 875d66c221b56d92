// The members of a JSON object by their names, as commands of clients and back
// ends have them: read strictly, and data as the bytes that it was. What is
// wrong is remembered, so that a reader asks for all it wants and then once
// whether it was good.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/bytes.hpp"
#include "base/json_text.hpp"

namespace paperboy {

/// The string that `value`, a text of JSON, is; nothing where it is none, or
/// holds what can't be text.
[[nodiscard]] std::optional<std::string> json_string(Bytes value);

/// The name of a member, without its escapes.
[[nodiscard]] std::optional<std::string> json_name(const JsonMembers& member);

/// `name` has letters, digits and "_" only, for which JSON has one kind of
/// escape. Without a parser, since it is asked of every member for every name.
[[nodiscard]] bool has_name(const JsonMembers& member, Bytes name);

class JsonParameters {
 public:
  /// REQUIRES: is_json(object), and it is an object. Its bytes must outlive
  /// this, and so must those of the names that are asked for.
  explicit JsonParameters(Bytes object) : object_(object) {}

  /// As it stands; empty: there is none. A name that stands twice is
  /// malformed, since readers differ on which one counts.
  Bytes any(Bytes name);

  /// The same; empty too where it is null. All that follows takes null so.
  Bytes raw(Bytes name);

  std::string text(Bytes name);
  bool flag(Bytes name);

  /// A whole number; 0 where there is none.
  std::uint64_t number(Bytes name);
  std::int64_t integer(Bytes name);

  /// Of an object; where there is none, nothing.
  std::optional<JsonParameters> object(Bytes name);

  /// Present, and not what it is by default.
  bool asks(Bytes name);

  /// There is no member with another name.
  [[nodiscard]] bool has_only(std::span<const Bytes> names) const;

  /// What `name` says can't be.
  void spoil(Bytes name);

  [[nodiscard]] bool good() const { return good_; }
  /// The first that was wrong.
  [[nodiscard]] Bytes wrong() const { return wrong_; }

 private:
  template <typename Number>
  Number read_number(Bytes name);

  Bytes object_;
  Bytes wrong_;
  bool good_ = true;
};

}  // namespace paperboy
