// Texts with places in them, that a connection or a message fills.
//
//   %i connection  %c channel  %s sequence in the channel  %n message number
//   %t nanoseconds  %r name of the run  %l line of --lines  %P payload  %% %
//   %k check of sequence, channel and nanoseconds: eight hexadecimal digits
//
// %05c: padded with zeros. The payload is "#seq:%s##ch:%c##ts:%t##sum:%k#xxx.",
// with as many "x" as it takes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base.hpp"

namespace paperboy::load {

/// What is the same in all texts of a run.
struct Run {
  std::string id;
  std::size_t payload = 128;  ///< bytes of %P
  std::vector<std::string> lines;
};

struct Values {
  std::uint64_t connection = 0;
  std::uint64_t channel = 0;
  std::uint64_t sequence = 0;
  std::uint64_t time = 0;
  std::uint64_t number = 0;
  std::uint64_t line = 0;  ///< modulo the number of lines
};

class Template {
 public:
  Template() = default;
  explicit Template(Bytes text);

  void append_to(std::string& out, const Values& values, const Run& run) const;
  [[nodiscard]] std::string fill(const Values& values, const Run& run) const;
  /// Has it such a place, beside those in %P?
  [[nodiscard]] bool has(char place) const;

 private:
  struct Piece {
    char kind = 0;  ///< 0: as it stands
    int width = 0;
    std::string text;
  };

  std::size_t take_place(Bytes text, std::string& before);

  std::vector<Piece> pieces_;
};

/// \n \r \t \0 \xNN and \ before anything else.
[[nodiscard]] std::string unescape(Bytes text);
/// Pairs of hexadecimal digits; what is none is passed over.
[[nodiscard]] std::string from_hex(Bytes text);
/// As a template that stands for itself.
[[nodiscard]] std::string literal(Bytes text);

}  // namespace paperboy::load
