#include "options.hpp"

#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <sstream>

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

/// "8080,8081"
std::vector<std::uint16_t> ports_of(const char* text) {
  std::vector<std::uint16_t> ports;
  std::istringstream words(text);
  for (std::string word; std::getline(words, word, ',');) {
    ports.push_back(static_cast<std::uint16_t>(std::stoul(word)));
  }
  return ports;
}

}  // namespace

Options parse_options(int count, char** words) {
  Options o;
  const std::map<std::string, Setter> setters{
      {"--ports", [&o](const char* text) { o.ports = ports_of(text); }},
      {"--seed", whole(o.seed)},
      {"--log", [&o](const char* text) { o.log = text; }},
      {"--channels", whole(o.channels)},
      {"--native", whole(o.native)},
      {"--sse", whole(o.sse)},
      {"--raw", whole(o.raw)},
      {"--classic", whole(o.classic)},
      {"--notiflux", whole(o.notiflux)},
      {"--topics", whole(o.topics)},
      {"--secret", [&o](const char* text) { o.secret = text; }},
      {"--key", [&o](const char* text) { o.key = text; }},
      {"--users", whole(o.doors.users)},
      {"--edge", real(o.doors.edge)},
      {"--look", real(o.doors.look)},
      {"--unauthorised", real(o.doors.patience)},
      {"--returns", [&o](const char* text) { o.doors.returns = *text == '1'; }},
      {"--classic-redis", whole(o.doors.redis)},
      {"--broadcasters", whole(o.doors.broadcasters)},
      {"--recovering", whole(o.recovering)},
      {"--slow", whole(o.slow)},
      {"--publishers", whole(o.publishers)},
      {"--least", whole(o.least)},
      {"--most", whole(o.most)},
      {"--big", whole(o.big)},
      {"--keys", [&o](const char* text) { o.keys = *text == '1'; }},
      {"--doubt", [&o](const char* text) { o.doubt = *text == '1'; }},
      {"--forks", [&o](const char* text) { o.forks = *text == '1'; }},
      {"--answer", real(o.answer)},
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
  if (o.ports.empty()) {
    std::cerr << "fault_engine: --ports are needed\n";
    std::exit(2);
  }
  return o;
}

}  // namespace paperboy::fault
