#include "json.hpp"

#include <array>
#include <cstdio>

namespace paperboy::load {

std::string quoted(Bytes text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04x", c);
      out += escape.data();
    } else {
      out += c;
    }
  }
  return out + '"';
}

void Json::begin(Bytes name) {
  if (text_.size() > 1) text_ += ',';
  text_ += quoted(name) + ':';
}

void Json::add(Bytes name, std::uint64_t number) {
  begin(name);
  text_ += std::to_string(number);
}

void Json::add(Bytes name, double number, int digits) {
  begin(name);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, number);
  text_ += text.data();
}

void Json::add_text(Bytes name, Bytes text) {
  begin(name);
  text_ += quoted(text);
}

void Json::add_json(Bytes name, Bytes json) {
  begin(name);
  text_ += json;
}

void Json::add(Bytes name, const std::map<std::string, std::uint64_t>& counts) {
  Json object;
  for (const auto& [word, count] : counts) object.add(word, count);
  add_json(name, object.text());
}

}  // namespace paperboy::load
