#include "options.hpp"

#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>

namespace paperboy::fault {

namespace {

using Setter = std::function<void(const char*)>;

template <typename Number>
Setter whole(Number& number) {
  return [&number](const char* text) {
    number = static_cast<Number>(std::strtoull(text, nullptr, 10));
  };
}

Setter real(double& number) {
  return [&number](const char* text) { number = std::strtod(text, nullptr); };
}

}  // namespace

Options parse_options(int count, char** words) {
  Options o;
  const std::map<std::string, Setter> setters{
      {"--port", whole(o.port)},
      {"--seed", whole(o.seed)},
      {"--log", [&o](const char* text) { o.log = text; }},
      {"--channels", whole(o.channels)},
      {"--native", whole(o.native)},
      {"--sse", whole(o.sse)},
      {"--raw", whole(o.raw)},
      {"--recovering", whole(o.recovering)},
      {"--slow", whole(o.slow)},
      {"--publishers", whole(o.publishers)},
      {"--least", whole(o.least)},
      {"--most", whole(o.most)},
      {"--big", whole(o.big)},
      {"--keys", [&o](const char* text) { o.keys = *text == '1'; }},
      {"--patience", real(o.patience)},
      {"--drop", real(o.garble.drop)},
      {"--repeat", real(o.garble.repeat)},
      {"--swap", real(o.garble.swap)},
  };
  for (int i = 1; i < count; i += 2) {
    const auto setter = setters.find(words[i]);
    if (setter == setters.end() || i + 1 == count) {
      std::cerr << "fault_engine: " << words[i] << ": no such option, or it "
                << "lacks its value\n";
      std::exit(2);
    }
    setter->second(words[i + 1]);
  }
  return o;
}

}  // namespace paperboy::fault
