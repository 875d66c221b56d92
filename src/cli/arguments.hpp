// The words of a command line, sorted into options and the rest. Borrows the
// words, which live as long as the process.
#pragma once

#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "cli/outcome.hpp"

namespace paperboy::cli {

using Words = std::span<const Bytes>;

struct Option {
  enum class Takes { nothing, value, values };

  Bytes name;  // without its dashes
  Takes takes = Takes::value;
};

class Arguments {
 public:
  /// `--name value`, `--name=value`, `--flag`; all after `--` is no option.
  /// Refuses unknown options, values that are missing or not wanted, an option
  /// given twice that takes one value, and more than `most` other words.
  /// `--help` is always known.
  static Outcome<Arguments> parse(Words words, std::span<const Option> known,
                                  std::size_t most);

  [[nodiscard]] bool has(Bytes name) const { return value(name).has_value(); }

  /// The last value given; of a flag, an empty one.
  [[nodiscard]] std::optional<Bytes> value(Bytes name) const;
  [[nodiscard]] std::vector<Bytes> values(Bytes name) const;

  /// The words that are no options, in order.
  [[nodiscard]] const std::vector<Bytes>& rest() const { return rest_; }

 private:
  std::vector<std::pair<Bytes, Bytes>> given_;
  std::vector<Bytes> rest_;
};

}  // namespace paperboy::cli
