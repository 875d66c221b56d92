#include "publisher.hpp"

#include "wire.hpp"

namespace paperboy::fault {

namespace {

/// Then it takes another connection, which is another worker's, maybe.
constexpr unsigned kRequests = 300;
constexpr double kPause = 0.02;  // s, before it tries again
constexpr double kDoubt = 0.1;   // s, likewise, where Redis is missing
/// Of a message that may have been published, and is refused.
constexpr unsigned kTries = 100;
constexpr unsigned kTriesInDoubt = 600;
/// What the HTTP API has in the place of 503.
constexpr Bytes kInternal = "100";

}  // namespace

Publisher::Publisher(Stage& stage, std::uint32_t number, bool keys,
                     std::string token)
    : stage_(stage),
      socket_(stage.loop, *this),
      number_(number),
      keys_(keys && token.empty()),
      token_(std::move(token)) {}

void Publisher::publish(std::uint32_t channel, std::size_t size) {
  stamp_ = {number_, channel, stage_.ledger.next(number_, channel), 0};
  message_ = stamped(stamp_, size);
  stamp_.hash = hash_of(message_);
  stage_.ledger.publish(stamp_, broadcasts() ? Way::broadcast : Way::http);
  unsure_ = false;
  again_left_ = stage_.doubt ? kTriesInDoubt : kTries;
  send();
}

void Publisher::tick(double now) {
  if (message_.empty()) return;
  // Only who has a key may ask again, or else what a worker does late would
  // come after what was published since.
  if (sent_ && keys_ && now > sent_at_ + stage_.answer) lost();
  if (!sent_ && now >= again_) send();
}

void Publisher::send() {
  sent_ = false;
  if (on_this_ >= kRequests) socket_.close();
  if (!socket_.is_open()) {
    on_this_ = 0;
    if (!socket_.connect(stage_.port(), 0)) {
      again_ = now_s() + kPause;
      return;
    }
  }
  ++on_this_;
  sent_ = true;
  sent_at_ = now_s();
  taken_before_ = socket_.taken();
  if (unsure_) stage_.ledger.repeat(stamp_);
  socket_.write(request());
}

/// A plain POST of the message, or a request to the HTTP API, or a broadcast.
std::string Publisher::request() const {
  const std::string channel = channel_name(stamp_.channel);
  const std::string key = std::to_string(number_) + "-" +
                          std::to_string(stamp_.channel) + "-" +
                          std::to_string(stamp_.number);
  std::string path = "/publish?c=" + channel;
  std::string fields = keys_ ? "Idempotency-Key: " + key + "\r\n" : "";
  std::string body = message_;
  if (broadcasts()) {
    path = "/broadcast";
    fields = "Content-Type: application/json\r\n";
    std::string text;
    for (const char c : message_) text += c == '"' ? "\\\"" : std::string(1, c);
    body = R"({"topic":")" + channel + R"(","message":")" + text +
           R"(","token":")" + token_ + R"("})";
  }
  if (asks_api()) {
    path = "/api/publish";
    fields.clear();
    body = R"({"channel":")" + channel + R"(","idempotency_key":")" + key +
           R"(","data":)" + message_ + "}";
  }
  return "POST " + path + " HTTP/1.1\r\nHost: fault\r\n" + fields +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

void Publisher::on_ready() {
  if (!socket_.is_open()) return;
  if (!socket_.flush()) return lost();
  Bytes bytes = socket_.read();
  if (socket_.has_ended()) return lost();
  if (bytes.empty()) return;
  const bool goes_on = take(bytes);
  socket_.keep(bytes);
  if (!goes_on) socket_.close();
}

/// False: the connection is not to be used again.
bool Publisher::take(Bytes& bytes) {
  Bytes rest = bytes;
  Bytes head;
  if (!take_head(rest, head)) return true;
  const std::size_t size = number_of(field_of(head, "content-length"));
  if (rest.size() < size) return true;
  const bool closes = field_of(head, "connection") == "close";
  answered(status_of(head), rest.substr(0, size));
  bytes = rest.substr(size);
  return !closes;
}

void Publisher::answered(int status, Bytes body) {
  sent_ = false;
  const Bytes result = asks_api() ? json_member(body, "result") : body;
  if (status == 200 && broadcasts()) {
    stage_.ledger.accept(stamp_, now_s());
    return done();
  }
  if (status == 200 && !result.empty()) {
    last_ = {parse_epoch(json_string(json_member(result, "epoch"))),
             number_of(json_member(result, "offset"))};
    stage_.ledger.acknowledge(stamp_, last_, now_s());
    return done();
  }
  const Bytes error = json_member(body, "error");
  const Bytes name =
      error.starts_with('{') ? json_member(error, "code") : json_string(error);
  ++stage_.tally.refusals[std::to_string(status) + " " + std::string(name)];
  const bool doubtful = stage_.doubt && (status == 503 || name == kInternal);
  unsure_ = unsure_ || doubtful;
  if (unsure_ && keys_ && again_left_-- > 0) {
    again_ = now_s() + (doubtful ? kDoubt : kPause);
    // Another node may be better off.
    if (doubtful) on_this_ = kRequests;
    return;
  }
  if (unsure_) {
    stage_.ledger.lose(stamp_);
  } else {
    stage_.ledger.refuse(stamp_);
  }
  done();
}

/// Before or after it was published: who has a key asks.
void Publisher::lost() {
  const bool left = sent_ && socket_.taken() != taken_before_;
  socket_.close();
  if (message_.empty()) return;
  if (left && !keys_) {
    stage_.ledger.lose(stamp_);
    return done();
  }
  if (left) unsure_ = true;
  sent_ = false;
  again_ = now_s() + kPause;
}

}  // namespace paperboy::fault
