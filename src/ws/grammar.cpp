// extension-list  = 1#extension
// extension       = token *( ";" parameter )
// parameter       = token [ "=" ( token / quoted-string ) ]
//
// where the text in a quoted-string, unescaped, is a token again.
#include "ws/grammar.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace paperboy::ws {

namespace {

constexpr Bytes kTokenPunctuation = "!#$%&'*+-.^_`|~";

constexpr bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
         (c >= 'A' && c <= 'Z');
}

constexpr std::array<bool, 256> token_chars() {
  std::array<bool, 256> table{};
  for (std::size_t i = 0; i < 128; ++i) {
    const auto c = static_cast<char>(i);
    table[i] = is_alphanumeric(c) || kTokenPunctuation.find(c) != Bytes::npos;
  }
  return table;
}

constexpr auto kTokenChars = token_chars();

bool is_token_char(char c) {
  return kTokenChars[static_cast<unsigned char>(c)];
}

bool is_space(char c) { return c == ' ' || c == '\t'; }

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

class Reader {
 public:
  explicit Reader(Bytes text) : rest_(text) {}

  [[nodiscard]] bool at_end() const { return rest_.empty(); }

  /// Takes `c` and the spaces before and after it, if it comes next.
  bool take(char c) {
    skip_space();
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    skip_space();
    return true;
  }

  /// Empty: no token comes next.
  Bytes token() {
    const auto end =
        std::find_if_not(rest_.begin(), rest_.end(), is_token_char);
    const auto size = static_cast<std::size_t>(end - rest_.begin());
    const Bytes token = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return token;
  }

  /// The text of a quoted-string whose opening quote is behind us. Empty: it
  /// doesn't end.
  std::optional<std::string> quoted() {
    std::string text;
    while (!rest_.empty()) {
      char c = next();
      if (c == '"') return text;
      if (c == '\\' && !rest_.empty()) c = next();
      text.push_back(c);
    }
    return std::nullopt;
  }

  bool take_quote() {
    if (rest_.empty() || rest_.front() != '"') return false;
    rest_.remove_prefix(1);
    return true;
  }

 private:
  void skip_space() {
    while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
  }

  char next() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  Bytes rest_;
};

bool read_value(Reader& reader, Parameter& parameter) {
  if (!reader.take_quote()) {
    parameter.value = reader.token();
  } else {
    parameter.value = reader.quoted();
  }
  return parameter.value && is_token(*parameter.value);
}

bool read_extension(Reader& reader, Extension& extension) {
  extension.name = reader.token();
  if (extension.name.empty()) return false;
  while (reader.take(';')) {
    Parameter parameter{reader.token(), std::nullopt};
    if (parameter.name.empty()) return false;
    if (reader.take('=') && !read_value(reader, parameter)) return false;
    extension.parameters.push_back(std::move(parameter));
  }
  return true;
}

}  // namespace

bool is_token(Bytes text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

bool equal_ignoring_case(Bytes a, Bytes b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

Bytes trim(Bytes text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

Bytes next_member(Bytes& list) {
  const std::size_t comma = list.find(',');
  const Bytes member = trim(list.substr(0, comma));
  list.remove_prefix(comma == Bytes::npos ? list.size() : comma + 1);
  return member;
}

bool parse_extensions(Bytes value, std::vector<Extension>& out) {
  Reader reader(value);
  for (;;) {
    while (reader.take(',')) {
      // RFC 9110 section 5.6.1.2: empty members are to be ignored.
    }
    if (reader.at_end()) return true;
    Extension extension;
    if (!read_extension(reader, extension)) return false;
    if (!reader.take(',') && !reader.at_end()) return false;
    out.push_back(std::move(extension));
  }
}

}  // namespace paperboy::ws
