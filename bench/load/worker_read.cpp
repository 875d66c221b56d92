// What comes on a connection: the answer to the upgrade, then frames.
#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "worker.hpp"

namespace paperboy::load {

namespace {

constexpr Bytes kExtensions = "sec-websocket-extensions";

}  // namespace

void Worker::on_event(std::size_t id, std::uint32_t events) {
  Connection& connection = connections_[id];
  if (connection.fd < 0) return;
  if (connection.state == State::connecting) return connected(id, events);
  if (connection.state == State::shaking) {
    shake_hands(id);
    if (connection.state != State::upgrading) return;
  }
  read_all(id, (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0);
}

void Worker::read_all(std::size_t id, bool ending) {
  Connection& connection = connections_[id];
  while (true) {
    const std::size_t had = connection.kept_size;
    std::copy_n(connection.kept.get(), had, buffer_.data());
    connection.kept_size = 0;
    const ssize_t count = link_.read(id, connection.fd, buffer_.data() + had,
                                     buffer_.size() - had);
    if (count < 0 && errno == EAGAIN) {
      connection.kept_size = static_cast<std::uint32_t>(had);
      return;
    }
    if (count <= 0) {
      return fail(id,
                  count == 0 ? "closed by the server" : with_reason("recv"));
    }
    tally_.wire_bytes += static_cast<std::uint64_t>(count);
    read_ns_ = 0;
    const Bytes all(buffer_.data(), had + static_cast<std::size_t>(count));
    const auto taken = take(id, all);
    if (!taken) return;
    keep(connection, all.substr(*taken));
    if (!link_.buffers() && all.size() < buffer_.size() && !ending) return;
  }
}

void Worker::keep(Connection& connection, Bytes bytes) {
  connection.kept.reset();
  if (bytes.empty()) return;
  connection.kept = std::make_unique_for_overwrite<char[]>(bytes.size());
  std::memcpy(connection.kept.get(), bytes.data(), bytes.size());
  connection.kept_size = static_cast<std::uint32_t>(bytes.size());
}

std::optional<std::size_t> Worker::take(std::size_t id, Bytes bytes) {
  const std::size_t size = bytes.size();
  while (!bytes.empty()) {
    const bool upgrading = connections_[id].state == State::upgrading;
    const auto taken =
        upgrading ? take_upgrade(id, bytes) : take_frame(id, bytes);
    if (!taken) return std::nullopt;
    if (*taken == 0) break;
    bytes.remove_prefix(*taken);
  }
  return size - bytes.size();
}

std::optional<std::size_t> Worker::take_upgrade(std::size_t id, Bytes bytes) {
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == Bytes::npos) return 0;
  const int status =
      status_of_upgrade(bytes.substr(0, end + 2), options_.key.accept);
  if (status != 101) {
    fail(id, status == 0 ? "a wrong Sec-WebSocket-Accept"
                         : "HTTP " + std::to_string(status));
    return std::nullopt;
  }
  const Bytes extension = field_of(bytes.substr(0, end + 2), kExtensions);
  connections_[id].deflate = extension.starts_with("permessage-deflate");
  if (!extension.empty() &&
      !(options_.subscribers.deflate && connections_[id].deflate)) {
    ++tally_.protocol_errors;
    fail(id, "an extension that was not offered");
    return std::nullopt;
  }
  connections_[id].state = State::greeting;
  if (!options_.subscribers.dialogue.wait_first) say_next_hello(id);
  const State state = connections_[id].state;
  if (state != State::greeting && state != State::open) return std::nullopt;
  return end + 4;
}

std::optional<std::size_t> Worker::take_frame(std::size_t id, Bytes bytes) {
  const auto head = frame_head(bytes);
  if (!head) return 0;
  if (const auto wrong = fault_of(*head, connections_[id].deflate);
      !wrong.empty()) {
    ++tally_.protocol_errors;
    fail(id, std::string(wrong));
    return std::nullopt;
  }
  if (head->payload > buffer_.size() - head->size) {
    ++tally_.protocol_errors;
    fail(id, "a frame larger than messages are: " +
                 std::to_string(head->payload) + " bytes");
    return std::nullopt;
  }
  const std::size_t size = head->size + head->payload;
  if (bytes.size() < size) return 0;
  if (!on_frame(id, *head, bytes.substr(head->size, head->payload))) {
    return std::nullopt;
  }
  return size;
}

bool Worker::on_frame(std::size_t id, const FrameHead& head, Bytes payload) {
  switch (head.opcode) {
    case kText:
    case kBinary:
    case kContinuation:
      return on_part(id, head, payload);
    case kPing:
      ++tally_.pings;
      say(id, kPong, payload);
      return true;
    case kPong:
      return true;
    case kClose:
      return on_close(id, payload);
    default:
      ++tally_.protocol_errors;
      fail(id, "opcode " + std::to_string(head.opcode));
      return false;
  }
}

// Fragments are put together; most messages have none.
bool Worker::on_part(std::size_t id, const FrameHead& head, Bytes payload) {
  ++tally_.frames;
  tally_.payload_bytes += payload.size();
  const bool begins = head.opcode != kContinuation;
  if (begins && head.final && fragments_.empty()) {
    return on_message(id, head.compressed, payload);
  }
  const auto at = fragments_.find(id);
  if (begins == (at != fragments_.end())) {
    ++tally_.protocol_errors;
    fail(id, begins ? "a message amid another's fragments"
                    : "a fragment of no message");
    return false;
  }
  Fragments& fragments = begins ? fragments_[id] : at->second;
  fragments.bytes += payload;
  if (begins) fragments.compressed = head.compressed;
  if (fragments.bytes.size() > buffer_.size()) {
    ++tally_.protocol_errors;
    fail(id, "fragments larger than messages are");
    return false;
  }
  if (!head.final) return true;
  const Fragments all = std::move(fragments);
  fragments_.erase(id);
  return on_message(id, all.compressed, all.bytes);
}

bool Worker::on_message(std::size_t id, bool compressed, Bytes payload) {
  if (compressed) {
    ++tally_.compressed;
    const auto inflated = inflater_.inflate(payload);
    if (!inflated) ++tally_.protocol_errors;
    payload = inflated.value_or(Bytes());
  }
  if (const Reply* reply = options_.reply_to(payload)) {
    answer(id, *reply, payload.substr(reply->prefix.size()));
    return true;
  }
  Connection& connection = connections_[id];
  if (connection.state == State::greeting) {
    const bool greets =
        options_.subscribers.dialogue.wait_first && !connection.greeted;
    connection.greeted = true;
    if (!greets) ++connection.hellos;
    say_next_hello(id);
    return connection.state == State::greeting ||
           connection.state == State::open;
  }
  if (!inspect(id, payload)) {
    tally_.note_error("data without a sequence, not counted");
  }
  return true;
}

// A frame may have messages behind what is answered (NATS).
void Worker::answer(std::size_t id, const Reply& reply, Bytes rest) {
  ++tally_.answered;
  const auto& hellos = options_.subscribers.dialogue.hellos;
  say(id, hellos.empty() ? kText : hellos[0].opcode, reply.answer);
  if (rest.empty() || options_.is_whole()) return;
  if (connections_[id].state == State::open) inspect(id, rest);
}

bool Worker::inspect(std::size_t id, Bytes payload) {
  Connection& connection = connections_[id];
  if (read_ns_ == 0) read_ns_ = now_ns();
  const Listener listener{id, connection.channel, connection.sequence};
  if (!inspector_.inspect(listener, payload, read_ns_)) return false;
  last_ns_.store(read_ns_, std::memory_order_relaxed);
  return true;
}

bool Worker::on_close(std::size_t id, Bytes payload) {
  std::string why = "close";
  if (payload.size() >= 2) {
    const int code = static_cast<unsigned char>(payload[0]) << 8 |
                     static_cast<unsigned char>(payload[1]);
    why += ' ' + std::to_string(code) + ' ';
    why += payload.substr(2, 60);
  }
  fail(id, why);
  return false;
}

}  // namespace paperboy::load
