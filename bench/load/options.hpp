// What the load client is told to do.
#pragma once

#include <string>
#include <vector>

#include "endpoint.hpp"
#include "probe.hpp"
#include "template.hpp"
#include "wire.hpp"

namespace paperboy::load {

/// What a client says after its upgrade.
struct Hello {
  enum class Kind : std::uint8_t { plain, mqtt_connect, mqtt_subscribe };

  std::uint8_t opcode = kText;
  Template body;
  Kind kind = Kind::plain;

  [[nodiscard]] std::string fill(const Values& values, const Run& run) const;
};

/// What one side of the load asks for.
struct Dialogue {
  Template path{"/"};
  std::string subprotocol;
  std::vector<Template> headers;
  std::vector<Hello> hellos;
  bool wait_first = false;  ///< the server speaks first
};

struct Subscribers {
  std::vector<Endpoint> targets;
  Dialogue dialogue;
  bool last_unanswered = false;  ///< the last hello
  bool tls = false;
  bool deflate = false;
  bool close_politely = false;
  std::uint64_t connections = 1000;
  std::uint64_t channels = 1;
  std::uint64_t threads = 1;
  std::uint64_t concurrency = 256;  ///< handshakes under way, a thread
  double connect_rate = 0;          ///< a second; 0: as it goes
  double connect_timeout = 60;
  std::uint64_t sources = 0;  ///< addresses; 0: one per 12,000 connections
  std::string source_base = "127.0.1.1";
  int receive_buffer = 0;
};

struct Publishing {
  enum class Scheme : std::uint8_t { http, websocket, tcp };

  Scheme scheme = Scheme::http;
  Endpoint target;
  std::string url;
  std::string method = "POST";
  Dialogue dialogue;
  std::string body = "%P";  ///< a template
  bool mqtt = false;
  Template mqtt_topic;
  std::uint8_t opcode = kText;
  bool acknowledged = false;  ///< by a frame, over a WebSocket
  bool unordered = false;     ///< a channel goes by all connections
  std::uint64_t messages = 100;
  std::uint64_t warm_up = 0;
  std::uint64_t connections = 1;
  std::uint64_t depth = 1;
  std::uint64_t window = 64;
  double rate = 0;

  /// Each message is answered.
  [[nodiscard]] bool is_answered() const {
    return scheme == Scheme::http || acknowledged;
  }
};

/// A frame that begins so is answered so.
struct Reply {
  std::string prefix;
  std::string answer;
};

enum class Mode : std::uint8_t { hold, fanout, churn };

/// How much of a frame is compared with what was published.
enum class Check : std::uint8_t { as_it_seems, whole, marked };

struct Options {
  Mode mode = Mode::hold;
  Subscribers subscribers;
  Publishing publishing;
  std::vector<Reply> replies;
  Check check = Check::as_it_seems;
  Servers servers;
  Run run;
  Key key;
  double duration = 5;
  double settle = 1;
  double drain = 5;
  double linger = 0.05;
  std::string label;

  /// Null: such a frame isn't answered.
  [[nodiscard]] const Reply* reply_to(Bytes frame) const;
  /// A frame is a message and nothing else: so it seems where the body is not
  /// of one's own and subscribers say nothing to get it.
  [[nodiscard]] bool is_whole() const;
};

/// Ends the process with a message where they are wrong, or with the help.
[[nodiscard]] Options parse_options(int count, char** words);

/// The upgrade's bytes.
[[nodiscard]] std::string upgrade_request(const Options& options,
                                          const Dialogue& dialogue,
                                          const std::string& host,
                                          const Values& values);

}  // namespace paperboy::load
