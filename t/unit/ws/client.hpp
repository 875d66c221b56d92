// What a client sends, and what a receiver makes of it, for tests and fuzzers.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ws/frame.hpp"
#include "ws/receiver.hpp"

namespace paperboy::ws {

struct Flags {
  bool fin = true;
  bool rsv1 = false;
  std::array<char, 4> mask{'\x37', '\xfa', '\x21', '\x3d'};
};

inline std::string client_frame(Opcode opcode, Bytes payload,
                                Flags flags = {}) {
  std::array<char, kMaxServerHeader> header;
  const std::size_t size = write_header(header.data(), opcode, payload.size(),
                                        flags.rsv1, flags.fin);
  header[1] = static_cast<char>(header[1] | 0x80);
  std::string frame(header.data(), size);
  frame.append(flags.mask.data(), flags.mask.size());
  for (std::size_t i = 0; i < payload.size(); ++i) {
    frame.push_back(static_cast<char>(payload[i] ^ flags.mask[i % 4]));
  }
  return frame;
}

/// Writes down, one a line, what it is handed.
class Recorder : public MessageSink {
 public:
  bool on_message(Kind kind, Bytes data) override {
    return add(kind == Kind::text ? "text " : "binary ", data);
  }
  bool on_ping(Bytes payload) override { return add("ping ", payload); }
  bool on_pong(Bytes payload) override { return add("pong ", payload); }
  bool on_close(const Close& close) override {
    return add("close " + std::to_string(close.code) + " ", close.reason);
  }

  bool add(const std::string& what, Bytes data) {
    events.append(what).append(data).append("\n");
    return --patience != 0;
  }

  std::string events;
  int patience = -1;  // how many events until it says stop
};

/// Feeds `stream` in pieces that end at `cuts`, each in memory of its own.
inline std::string receive(Bytes stream, const ReceiverOptions& options,
                           std::span<const std::size_t> cuts) {
  Receiver receiver;
  Recorder recorder;
  std::size_t from = 0;
  const auto feed_to = [&](std::size_t to) {
    std::vector<char> piece(stream.begin() + static_cast<std::ptrdiff_t>(from),
                            stream.begin() + static_cast<std::ptrdiff_t>(to));
    from = to;
    if (const auto bad = receiver.feed(piece, recorder, options)) {
      recorder.add("violation " + std::to_string(bad->code) + " ", bad->reason);
    }
  };
  for (const std::size_t cut : cuts) feed_to(cut);
  feed_to(stream.size());
  recorder.events.append(receiver.idle() ? "" : "incomplete\n");
  return recorder.events;
}

}  // namespace paperboy::ws
