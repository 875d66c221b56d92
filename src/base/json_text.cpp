// A value is complete, or opens an array or object in which the next value is
// awaited; what is open is one bit each: object or array.
#include "base/json_text.hpp"

#include <algorithm>
#include <bitset>
#include <utility>

namespace paperboy {

namespace {

constexpr Bytes kBlank = " \t\n\r";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_escaped(char c) {
  return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20;
}

bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

class Scanner {
 public:
  Scanner(Bytes text, std::size_t depth) : rest_(text), most_(depth) {}

  bool document();

  /// The value at the front, and what is behind it.
  bool first();
  [[nodiscard]] Bytes rest() const { return rest_; }

 private:
  void blank() {
    rest_.remove_prefix(
        std::min(rest_.find_first_not_of(kBlank), rest_.size()));
  }
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool word(Bytes expected) {
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }
  bool digits();
  bool number();
  bool string();
  bool escape();
  bool name();
  bool open(char end);
  bool value();
  bool close();

  Bytes rest_;
  std::size_t most_;  // of what may be open
  std::bitset<kJsonTextDepth + kJsonTextWrapping> objects_;  // of what is open
  std::size_t depth_ = 0;
  bool awaited_ = true;  // a value
};

bool Scanner::document() {
  if (!first()) return false;
  blank();
  return rest_.empty();
}

bool Scanner::first() {
  while (awaited_) {
    blank();
    if (!value()) return false;
    while (!awaited_ && depth_ > 0) {
      if (!close()) return false;
    }
  }
  return true;
}

/// After a value in an array or object: the next one's beginning, or the end.
bool Scanner::close() {
  const bool object = objects_[depth_ - 1];
  blank();
  if (take(',')) {
    awaited_ = true;
    return !object || name();
  }
  if (!take(object ? '}' : ']')) return false;
  --depth_;
  return true;
}

bool Scanner::value() {
  awaited_ = false;
  if (rest_.empty()) return false;
  switch (rest_.front()) {
    case '{':
      return open('}');
    case '[':
      return open(']');
    case '"':
      return string();
    case 't':
      return word("true");
    case 'f':
      return word("false");
    case 'n':
      return word("null");
    default:
      return number();
  }
}

bool Scanner::open(char end) {
  if (depth_ == most_) return false;
  rest_.remove_prefix(1);
  blank();
  if (take(end)) return true;
  const bool object = end == '}';
  objects_[depth_++] = object;
  awaited_ = true;
  return !object || name();
}

bool Scanner::name() {
  blank();
  if (!string()) return false;
  blank();
  return take(':');
}

bool Scanner::string() {
  if (!take('"')) return false;
  while (!rest_.empty()) {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    if (c == '"') return true;
    if (static_cast<unsigned char>(c) < 0x20) return false;
    if (c == '\\' && !escape()) return false;
  }
  return false;
}

bool Scanner::escape() {
  if (rest_.empty()) return false;
  const char c = rest_.front();
  rest_.remove_prefix(1);
  if (c != 'u') return Bytes("\"\\/bfnrt").find(c) != Bytes::npos;
  if (rest_.size() < 4 ||
      !std::all_of(rest_.begin(), rest_.begin() + 4, is_hex)) {
    return false;
  }
  rest_.remove_prefix(4);
  return true;
}

bool Scanner::digits() {
  const auto end = std::find_if_not(rest_.begin(), rest_.end(), is_digit);
  const auto count = static_cast<std::size_t>(end - rest_.begin());
  rest_.remove_prefix(count);
  return count > 0;
}

// RFC 8259 section 6: no leading zeros.
bool Scanner::number() {
  take('-');
  if (!take('0') && !digits()) return false;
  if (take('.') && !digits()) return false;
  if (take('e') || take('E')) {
    if (!take('+')) take('-');
    return digits();
  }
  return true;
}

// What follows walks text that is known to be JSON.

std::size_t string_size(Bytes text) {
  std::size_t i = 1;
  while (text[i] != '"') i += text[i] == '\\' ? 2 : 1;
  return i + 1;
}

std::size_t container_size(Bytes text) {
  std::size_t depth = 0;
  std::size_t i = 0;
  do {
    const char c = text[i];
    if (c == '"') {
      i += string_size(text.substr(i));
      continue;
    }
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    ++i;
  } while (depth > 0);
  return i;
}

std::size_t value_size(Bytes text) {
  if (text.front() == '"') return string_size(text);
  if (text.front() == '{' || text.front() == '[') return container_size(text);
  return std::min(text.find_first_of(",]} \t\r\n"), text.size());
}

}  // namespace

bool is_json(Bytes text, std::size_t depth) {
  return Scanner(text, depth).document();
}

bool JsonMembers::next() {
  rest_.remove_prefix(rest_.find_first_not_of("{, \t\n\r"));
  if (rest_.front() == '}') return false;
  const std::size_t size = string_size(rest_);
  name_ = rest_.substr(1, size - 2);
  rest_.remove_prefix(size);
  rest_.remove_prefix(rest_.find_first_not_of(": \t\n\r"));
  value_ = rest_.substr(0, value_size(rest_));
  rest_.remove_prefix(value_.size());
  return true;
}

bool JsonElements::next() {
  if (!std::exchange(begun_, true)) rest_.remove_prefix(1);
  rest_.remove_prefix(rest_.find_first_not_of(", \t\n\r"));
  if (rest_.front() == ']') return false;
  value_ = rest_.substr(0, value_size(rest_));
  rest_.remove_prefix(value_.size());
  return true;
}

bool JsonTexts::next() {
  rest_.remove_prefix(std::min(rest_.find_first_not_of(kBlank), rest_.size()));
  if (rest_.empty()) return false;
  Scanner scanner(rest_, kJsonTextDepth + kJsonTextWrapping);
  good_ = scanner.first();
  if (!good_) return false;
  value_ = rest_.substr(0, rest_.size() - scanner.rest().size());
  rest_ = scanner.rest();
  return true;
}

void append_json_string(std::string& out, Bytes text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  while (true) {
    const auto plain = static_cast<std::size_t>(
        std::ranges::find_if(text, is_escaped) - text.begin());
    out.append(text.substr(0, plain));
    if (plain == text.size()) break;
    const char c = text[plain];
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.append({'\\', c});
    } else if (c == '\n') {
      out += "\\n";
    } else {
      out.append("\\u00").append({kHex[byte >> 4], kHex[byte & 15]});
    }
    text.remove_prefix(plain + 1);
  }
  out += '"';
}

}  // namespace paperboy
