#include "cli/arguments.hpp"

#include <algorithm>

namespace paperboy::cli {

namespace {

constexpr Option kHelp{"help", Option::Takes::nothing};

const Option* find(std::span<const Option> known, Bytes name) {
  if (name == kHelp.name) return &kHelp;
  const auto found = std::ranges::find(known, name, &Option::name);
  return found == known.end() ? nullptr : &*found;
}

std::string quoted(Bytes name) { return "--" + std::string(name); }

// Values are never repeated in what is said: they may be secrets.
Failure unknown(Bytes name) {
  if (name == "token" || name == "key") {
    const std::string what(name);
    return misused("--" + what + ": others can read the command line; use --" +
                   what + "-file FILE or --" + what + "-env NAME");
  }
  return misused(quoted(name) + ": no such option; --help lists them");
}

}  // namespace

Outcome<Arguments> Arguments::parse(Words words, std::span<const Option> known,
                                    std::size_t most) {
  Arguments arguments;
  bool options = true;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const Bytes word = words[i];
    if (!options || word.size() < 2 || word[0] != '-') {
      arguments.rest_.push_back(word);
      continue;
    }
    if (word == "--") {
      options = false;
      continue;
    }
    if (!word.starts_with("--")) {
      return misused("options begin with two dashes; --help lists them");
    }
    const std::size_t equals = word.find('=');
    const Bytes name = word.substr(2, std::min(equals, word.size()) - 2);
    const Option* const option = find(known, name);
    if (option == nullptr) return unknown(name);
    if (option->takes != Option::Takes::values && arguments.has(name)) {
      return misused(quoted(name) + ": given twice");
    }
    Bytes value;
    if (option->takes == Option::Takes::nothing) {
      if (equals != Bytes::npos) {
        return misused(quoted(name) + ": takes no value");
      }
    } else if (equals != Bytes::npos) {
      value = word.substr(equals + 1);
    } else if (i + 1 < words.size() && !words[i + 1].starts_with("--")) {
      value = words[++i];
    } else {
      return misused(quoted(name) + ": needs a value");
    }
    arguments.given_.emplace_back(name, value);
  }
  if (arguments.rest_.size() > most && !arguments.has("help")) {
    return misused("too many words; --help shows what is expected");
  }
  return arguments;
}

std::optional<Bytes> Arguments::value(Bytes name) const {
  const auto all = values(name);
  if (all.empty()) return std::nullopt;
  return all.back();
}

std::vector<Bytes> Arguments::values(Bytes name) const {
  std::vector<Bytes> found;
  for (const auto& [given, value] : given_) {
    if (given == name) found.push_back(value);
  }
  return found;
}

}  // namespace paperboy::cli
