// Writes one object of JSON, member after member.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base.hpp"

namespace paperboy::load {

class Json {
 public:
  void add(Bytes name, std::uint64_t number);
  void add(Bytes name, double number, int digits);
  void add_text(Bytes name, Bytes text);
  /// JSON as it is.
  void add_json(Bytes name, Bytes json);
  void add(Bytes name, const std::map<std::string, std::uint64_t>& counts);

  [[nodiscard]] std::string text() const { return text_ + '}'; }

 private:
  void begin(Bytes name);

  std::string text_ = "{";
};

/// With its quotes.
[[nodiscard]] std::string quoted(Bytes text);

}  // namespace paperboy::load
