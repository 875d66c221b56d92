#include "options.hpp"

#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>

#include "help.hpp"

namespace paperboy::load {

namespace {

using Setter = std::function<void(const std::string&)>;
using Switch = std::function<void()>;

template <typename Number>
Setter whole(Number& number, std::uint64_t least = 0) {
  return [&number, least](const std::string& text) {
    if (text.empty() || text.find_first_not_of("0123456789") != text.npos) {
      give_up('"' + text + "\": expected a whole number");
    }
    number = static_cast<Number>(std::max(number_of(text), least));
  };
}

Setter real(double& number) {
  return [&number](const std::string& text) {
    char* end = nullptr;
    number = std::strtod(text.c_str(), &end);
    if (text.empty() || *end != '\0' || !(number >= 0)) {
      give_up('"' + text + "\": expected a number");
    }
  };
}

Setter text(std::string& to) {
  return [&to](const std::string& value) { to = value; };
}

Setter header(Dialogue& dialogue) {
  return [&dialogue](const std::string& value) {
    dialogue.headers.emplace_back(value);
  };
}

Switch on(bool& flag) {
  return [&flag] { flag = true; };
}

std::string needed_file(const std::string& path) {
  std::string bytes = read_file(path);
  if (bytes.empty()) give_up(path + ": there is no such file, or it is empty");
  return bytes;
}

using Words = std::map<std::string, Setter>;

/// What both sides may say: the names begin with "--" or with "--publish-".
void add_hellos(Words& words, const std::string& prefix, Dialogue& dialogue) {
  const auto hello = [&dialogue](std::uint8_t opcode, auto read,
                                 Hello::Kind kind = Hello::Kind::plain) {
    return [&dialogue, opcode, read, kind](const std::string& value) {
      dialogue.hellos.push_back({opcode, Template(read(value)), kind});
    };
  };
  const auto as_it_is = [](const std::string& value) { return value; };
  words[prefix + "header"] = header(dialogue);
  words[prefix + "subprotocol"] = text(dialogue.subprotocol);
  words[prefix + "hello"] = hello(kText, unescape);
  words[prefix + "hello-bin"] = hello(kBinary, unescape);
  words[prefix + "hello-hex"] = hello(
      kBinary, [](const std::string& hex) { return literal(from_hex(hex)); });
  words[prefix + "hello-file"] = hello(kText, needed_file);
  words[prefix + "mqtt-connect"] =
      hello(kBinary, as_it_is, Hello::Kind::mqtt_connect);
  words[prefix + "mqtt-subscribe"] =
      hello(kBinary, as_it_is, Hello::Kind::mqtt_subscribe);
}

void add_subscribers(Words& words, Subscribers& to) {
  words["--target"] = [&to](const std::string& hosts) {
    for (const auto& host : split(hosts, ',')) {
      to.targets.push_back(resolve(host));
    }
  };
  words["--path"] = [&to](const std::string& path) {
    to.dialogue.path = Template(path);
  };
  add_hellos(words, "--", to.dialogue);
  words["-c"] = whole(to.connections);
  words["--channels"] = whole(to.channels, 1);
  words["--threads"] = whole(to.threads, 1);
  words["--concurrency"] = whole(to.concurrency, 1);
  words["--connect-rate"] = real(to.connect_rate);
  words["--connect-timeout"] = real(to.connect_timeout);
  words["--sources"] = whole(to.sources);
  words["--source-base"] = text(to.source_base);
  words["--rcvbuf"] = whole(to.receive_buffer);
  words["--close"] = [&to](const std::string& how) {
    if (how != "rst" && how != "clean") {
      give_up("--close: expected rst or clean");
    }
    to.close_politely = how == "clean";
  };
}

void add_publishing(Words& words, Publishing& to) {
  words["--publish-url"] = text(to.url);
  words["--publish-body"] = [&to](const std::string& value) {
    to.body = unescape(value);
  };
  words["--publish-body-file"] = [&to](const std::string& path) {
    to.body = needed_file(path);
  };
  words["--publish-method"] = text(to.method);
  add_hellos(words, "--publish-", to.dialogue);
  words["--publish-mqtt"] = [&to](const std::string& topic) {
    to.mqtt = true;
    to.mqtt_topic = Template(topic);
    to.opcode = kBinary;
  };
  words["--publish-conns"] = whole(to.connections, 1);
  words["--publish-depth"] = whole(to.depth, 1);
  words["-m"] = whole(to.messages);
  words["--warmup"] = whole(to.warm_up);
  words["--rate"] = real(to.rate);
  words["--window"] = whole(to.window);
}

void add_common(Words& words, Options& to) {
  words["--size"] = whole(to.run.payload);
  words["--check"] = [&to](const std::string& how) {
    if (how != "whole" && how != "marked") {
      give_up("--check: expected whole or marked");
    }
    to.check = how == "whole" ? Check::whole : Check::marked;
  };
  words["--lines"] = [&to](const std::string& path) {
    to.run.lines = split(needed_file(path), '\n');
  };
  words["--reply"] = [&to](const std::string& reply) {
    const std::size_t equals = reply.find('=');
    if (equals == std::string::npos) give_up("--reply: expected PREFIX=ANSWER");
    to.replies.push_back({unescape(reply.substr(0, equals)),
                          unescape(reply.substr(equals + 1))});
  };
  words["--duration"] = real(to.duration);
  words["--settle"] = real(to.settle);
  words["--drain"] = real(to.drain);
  words["--linger"] = real(to.linger);
  words["--label"] = text(to.label);
  words["--server-pids"] = [&to](const std::string& pids) {
    for (const auto& pid : split(pids, ',')) {
      to.servers.add(static_cast<int>(number_of(pid)));
    }
  };
  words["--server-tree"] = [&to](const std::string& pids) {
    for (const auto& pid : split(pids, ',')) {
      to.servers.add_tree(static_cast<int>(number_of(pid)));
    }
  };
}

std::map<std::string, Switch> switches(Options& to) {
  Subscribers& subscribers = to.subscribers;
  Publishing& publishing = to.publishing;
  return {
      {"--tls", on(subscribers.tls)},
      {"--deflate", on(subscribers.deflate)},
      {"--wait-first", on(subscribers.dialogue.wait_first)},
      {"--last-nowait", on(subscribers.last_unanswered)},
      {"--publish-wait-first", on(publishing.dialogue.wait_first)},
      {"--publish-ack", on(publishing.acknowledged)},
      {"--publish-unordered", on(publishing.unordered)},
      {"--publish-binary", [&publishing] { publishing.opcode = kBinary; }},
  };
}

void show_help(bool asked) {
  (asked ? std::cout : std::cerr) << kHelp;
  std::exit(asked ? 0 : 2);
}

Mode mode_of(const std::string& word) {
  if (word == "hold") return Mode::hold;
  if (word == "fanout") return Mode::fanout;
  if (word == "churn") return Mode::churn;
  give_up(word + ": no such mode; there are hold, fanout and churn");
}

void take_url_apart(Publishing& to) {
  const std::map<std::string, Publishing::Scheme> schemes{
      {"http", Publishing::Scheme::http},
      {"ws", Publishing::Scheme::websocket},
      {"tcp", Publishing::Scheme::tcp}};
  const std::size_t colon = to.url.find("://");
  const auto scheme = schemes.find(to.url.substr(0, colon));
  if (colon == std::string::npos || scheme == schemes.end()) {
    give_up("--publish-url: expected http://, ws:// or tcp://");
  }
  to.scheme = scheme->second;
  const std::string rest = to.url.substr(colon + 3);
  const std::size_t slash = rest.find('/');
  to.target = resolve(rest.substr(0, slash));
  to.dialogue.path =
      Template(slash == std::string::npos ? "/" : rest.substr(slash));
}

void parse_words(Options& to, int count, char** words) {
  Words setters;
  add_subscribers(setters, to.subscribers);
  add_publishing(setters, to.publishing);
  add_common(setters, to);
  const auto flags = switches(to);
  for (int i = 2; i < count; ++i) {
    const std::string word = words[i];
    if (word == "--help") show_help(true);
    if (const auto flag = flags.find(word); flag != flags.end()) {
      flag->second();
      continue;
    }
    const auto setter = setters.find(word);
    if (setter == setters.end()) give_up(word + ": no such option; see --help");
    if (++i == count) give_up(word + ": needs a value");
    setter->second(words[i]);
  }
}

}  // namespace

std::string Hello::fill(const Values& values, const Run& run) const {
  std::string text = body.fill(values, run);
  if (kind == Kind::mqtt_connect) {  // version 3.1.1, a clean session
    return mqtt_packet(0x10, mqtt_string("MQTT") + std::string("\4\2\0\0", 4) +
                                 mqtt_string(text));
  }
  if (kind == Kind::mqtt_subscribe) {  // packet 1, at most once
    return mqtt_packet(0x82, std::string("\0\1", 2) + mqtt_string(text) + '\0');
  }
  return text;
}

const Reply* Options::reply_to(Bytes frame) const {
  for (const Reply& reply : replies) {
    if (frame.starts_with(reply.prefix)) return &reply;
  }
  return nullptr;
}

bool Options::is_whole() const {
  if (check != Check::as_it_seems) return check == Check::whole;
  const Dialogue& dialogue = subscribers.dialogue;
  return publishing.body == "%P" && !publishing.mqtt &&
         publishing.scheme != Publishing::Scheme::tcp &&
         dialogue.hellos.empty() && dialogue.subprotocol.empty() &&
         !dialogue.wait_first;
}

Options parse_options(int count, char** words) {
  const std::string mode = count < 2 ? "" : words[1];
  if (mode.empty() || mode == "--help") show_help(!mode.empty());
  Options options;
  options.mode = mode_of(mode);
  parse_words(options, count, words);
  if (options.subscribers.targets.empty()) give_up("--target is needed");
  if (!options.publishing.url.empty()) {
    take_url_apart(options.publishing);
  } else if (options.mode == Mode::fanout) {
    give_up("fanout needs --publish-url");
  }
  return options;
}

std::string upgrade_request(const Options& options, const Dialogue& dialogue,
                            const std::string& host, const Values& values) {
  std::string request = "GET ";
  dialogue.path.append_to(request, values, options.run);
  request += " HTTP/1.1\r\nHost: " + host +
             "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " +
             options.key.key + "\r\n";
  if (!dialogue.subprotocol.empty()) {
    request += "Sec-WebSocket-Protocol: " + dialogue.subprotocol + "\r\n";
  }
  if (options.subscribers.deflate) {
    request +=
        "Sec-WebSocket-Extensions: permessage-deflate; "
        "server_no_context_takeover; client_no_context_takeover\r\n";
  }
  for (const Template& header : dialogue.headers) {
    header.append_to(request, values, options.run);
    request += "\r\n";
  }
  return request + "\r\n";
}

}  // namespace paperboy::load
