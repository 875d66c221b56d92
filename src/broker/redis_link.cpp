#include "broker/redis_link.hpp"

#include <cassert>
#include <utility>

namespace paperboy::broker::redis {

Link::Link(const Context& context, Topics topics, LinkEvents& events)
    : context_(context),
      topics_(topics),
      events_(events),
      waiter_(context),
      blocker_(context) {}

// --- coming and going --------------------------------------------------------

void Link::open(const Server& server) {
  assert(!open_);
  if (caller_ != nullptr) caller_->lose("it is opened anew");
  server_ = server;
  open_ = true;
  listener_.reset();
  waiter_.move_to(server);
  blocker_.move_to(server);
  CallerEvents& events = *this;
  caller_ = std::make_unique<Caller>(context_, server, events);
}

void Link::on_caller_up() {
  if (!open_) return;
  ListenerEvents& events = *this;
  listener_ = std::make_unique<Listener>(context_, server_, topics_, events);
}

void Link::on_listener_up() {
  if (!open_) return;
  if (!reading_) listener_->read(false);
  up_ = true;
  events_.on_link_up();
}

/// The first connection that goes takes the others along.
void Link::lose(Bytes why) {
  if (!std::exchange(open_, false)) return;
  up_ = false;
  caller_->close(why);
  if (listener_ != nullptr) listener_->close(why);
  waiter_.close(why);
  blocker_.close(why);
  events_.on_link_lost(why);
}

void Link::close(Bytes why) {
  if (open_) caller_->close(why);
}

void Link::refresh_identity() {
  if (is_up()) caller_->refresh_identity();
}

// --- commands ----------------------------------------------------------------

void Link::call(Script script, const std::vector<std::string>& keys,
                const std::vector<std::string>& arguments,
                ReplyHandler handler) {
  if (!is_up()) return context_.refusals.refuse_down(std::move(handler));
  caller_->call(script, keys, arguments, std::move(handler));
}

void Link::call_and_wait(Waiter::Call call) {
  if (!is_up()) return context_.refusals.refuse_down(std::move(call.handler));
  waiter_.call(std::move(call));
}

void Link::command(const std::vector<std::string>& words,
                   ReplyHandler handler) {
  if (!is_up()) return context_.refusals.refuse_down(std::move(handler));
  caller_->command(words, std::move(handler));
}

void Link::command_and_block(const std::vector<std::string>& words,
                             std::uint64_t block_ms, ReplyHandler handler) {
  if (!is_up()) return context_.refusals.refuse_down(std::move(handler));
  blocker_.command(words, block_ms, std::move(handler));
}

// --- topics ------------------------------------------------------------------

void Link::listen(Bucket bucket, Bytes topic) {
  if (is_up()) listener_->listen(bucket, topic);
}

void Link::ignore(Bucket bucket, Bytes topic) {
  if (is_up()) listener_->ignore(bucket, topic);
}

void Link::read(bool on) {
  reading_ = on;
  if (up_) listener_->read(on);
}

void Link::on_listening(Bytes topic) {
  if (up_) events_.on_listening(topic);
}

void Link::on_message(Bytes topic, Bytes message) {
  if (up_) events_.on_message(topic, message);
}

void Link::on_topic_lost(Bytes topic, Bytes why) {
  if (up_) events_.on_topic_lost(topic, why);
}

}  // namespace paperboy::broker::redis
