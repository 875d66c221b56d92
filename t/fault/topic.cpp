#include "topic.hpp"

#include "classic.hpp"
#include "wire.hpp"

namespace paperboy::fault {

namespace {

constexpr double kPause = 0.05;    // s, before it connects again
constexpr unsigned kForUsers = 3;  // one of so many

/// A command, as Redis reads it.
std::string command(std::initializer_list<Bytes> words) {
  std::string out = "*" + std::to_string(words.size()) + "\r\n";
  for (const Bytes word : words) {
    out += "$" + std::to_string(word.size()) + "\r\n" + std::string(word);
    out += "\r\n";
  }
  return out;
}

}  // namespace

TopicPublisher::TopicPublisher(Stage& stage, std::uint32_t number,
                               std::uint32_t own, std::uint32_t all)
    : stage_(stage),
      socket_(stage.loop, *this),
      number_(number),
      own_(own),
      all_(all) {}

void TopicPublisher::publish(std::uint32_t channel, std::size_t size) {
  const std::uint32_t users = stage_.doors.users;
  const bool for_user = own_ < users && stage_.random() % kForUsers == 0;
  if (!for_user) return begin(channel, size);
  const std::uint32_t own_users = (users - own_ + all_ - 1) / all_;
  publish_to_user(
      own_ + all_ * static_cast<std::uint32_t>(stage_.random() % own_users),
      size);
}

void TopicPublisher::publish_to_user(std::uint32_t user, std::size_t size) {
  begin(stage_.ledger.user_channel(user), size);
}

void TopicPublisher::begin(std::uint32_t channel, std::size_t size) {
  stamp_ = {number_, channel, stage_.ledger.next(number_, channel), 0};
  message_ = stamped(stamp_, size);
  stamp_.hash = hash_of(message_);
  stage_.ledger.publish(stamp_, Way::topic);
  send();
}

void TopicPublisher::tick(double now) {
  if (!message_.empty() && !sent_ && now >= again_) send();
}

void TopicPublisher::send() {
  if (!socket_.is_open() && !socket_.connect(stage_.doors.redis, 0)) {
    again_ = now_s() + kPause;
    return;
  }
  sent_ = true;
  taken_before_ = socket_.taken();
  const Ledger& ledger = stage_.ledger;
  const bool for_user = ledger.is_of_user(stamp_.channel);
  const std::string user =
      for_user ? user_name(stamp_.channel - ledger.user_channel(0)) : "";
  const std::string channel = for_user ? "" : channel_name(stamp_.channel);
  socket_.write(
      command({"PUBLISH", "paperboy-message",
               classic_text(user, channel, message_, stamp_.number)}));
}

void TopicPublisher::on_ready() {
  if (!socket_.is_open()) return;
  if (!socket_.flush()) return lost();
  Bytes bytes = socket_.read();
  if (socket_.has_ended()) return lost();
  const std::size_t end = bytes.find("\r\n");
  if (end == Bytes::npos) return socket_.keep(bytes);
  answered(bytes.substr(0, end));
  socket_.keep({});
}

/// How many listened. Where nobody did it is gone.
void TopicPublisher::answered(Bytes line) {
  sent_ = false;
  message_.clear();
  const bool taken = line.starts_with(':') && line != ":0";
  if (taken) return stage_.ledger.accept(stamp_, now_s());
  ++stage_.tally.refusals["topic " + std::string(line.substr(0, 20))];
  stage_.ledger.lose(stamp_);
}

void TopicPublisher::lost() {
  const bool left = sent_ && socket_.taken() != taken_before_;
  socket_.close();
  again_ = now_s() + kPause;
  if (left) {
    stage_.ledger.lose(stamp_);
    message_.clear();
  }
  sent_ = false;
}

}  // namespace paperboy::fault
