#include "dialect/native.hpp"

#include <cassert>

#include <utility>

#include "base/centrifugal.hpp"
#include "base/json_text.hpp"
#include "base/version.hpp"
#include "dialect/native_command.hpp"

namespace paperboy::dialect {

namespace {

/// Writes the replies.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {
    if (!out_.empty()) out_ += '\n';
  }

  void operator()(const Connected& done) {
    begin(done.id, "connect");
    client(done.client);
    lifetime(done.ttl);
    out_.append(R"(,"ping":)").append(std::to_string(done.ping_s));
    out_ += R"(,"pong":true)";
    if (!done.subscriptions.empty()) subscriptions(done);
    out_ += "}}";
  }
  void operator()(const Subscribed& done) {
    begin(done.id, "subscribe");
    standing(done.position, done.recovered);
    lifetime(done.ttl);
    out_ += "}}";
  }
  void operator()(const HistoryRead& done) {
    begin(done.id, "history");
    out_ += R"("publications":)";
    publications(done.page.publications);
    out_ += ',';
    position(done.page.top);
    out_ += "}}";
  }
  void operator()(const PresenceRead& done) {
    begin(done.id, "presence");
    out_ += R"("presence":{)";
    for (const MemberRecord& member : done.members) {
      if (&member != done.members.data()) out_ += ',';
      append_json_string(out_, member.client);
      out_ += ':';
      append_member(out_, member.view());
    }
    out_ += "}}}";
  }
  void operator()(const PresenceCounted& done) {
    begin(done.id, "presence_stats");
    out_.append(R"("num_clients":)")
        .append(std::to_string(done.stats.clients))
        .append(R"(,"num_users":)")
        .append(std::to_string(done.stats.users))
        .append("}}");
  }
  void operator()(const Unsubscribed& done) { empty(done.id, "unsubscribe"); }
  void operator()(const Published& done) { empty(done.id, "publish"); }
  void operator()(const Pong& done) { empty(done.id, "ping"); }
  void operator()(const Refreshed& done) {
    begin(done.id, "refresh");
    client(done.client);
    lifetime(done.ttl);
    out_ += "}}";
  }
  void operator()(const SubRefreshed& done) {
    begin(done.id, "sub_refresh");
    const std::size_t start = out_.size();
    lifetime(done.ttl);
    if (out_.size() > start) out_.erase(start, 1);
    out_ += "}}";
  }
  void operator()(const Failed& failed) {
    const ProtocolError row = protocol_error(failed.code);
    out_.append(R"({"id":)").append(std::to_string(failed.id));
    out_.append(R"(,"error":{"code":)").append(std::to_string(row.code));
    out_.append(R"(,"message":")").append(row.message).append("\"");
    if (row.temporary || failed.again) out_ += R"(,"temporary":true)";
    out_ += "}}";
  }
  void operator()(const Dropped& dropped) {
    out_ += R"({"push":{"channel":)";
    append_json_string(out_, dropped.channel);
    out_.append(R"(,"unsubscribe":{"code":)")
        .append(std::to_string(dropped.code));
    out_.append(R"(,"reason":")").append(dropped.reason).append("\"}}}");
  }

  void operator()(const Entered& entered) {
    out_ += R"({"push":{"channel":)";
    append_json_string(out_, entered.channel);
    out_ += R"(,"subscribe":{)";
    standing(entered.position, {});
    if (!entered.data.empty()) {
      out_ += R"(,"data":)";
      append_json_line(out_, entered.data);
    }
    out_ += "}}}";
  }
  void operator()(const Renewed& renewed) {
    out_ += R"({"push":{"refresh":{)";
    const std::size_t start = out_.size();
    lifetime(renewed.ttl);
    if (out_.size() > start) out_.erase(start, 1);
    out_ += "}}}";
  }

 private:
  void begin(std::uint64_t id, Bytes method) {
    out_.append(R"({"id":)").append(std::to_string(id));
    out_.append(",\"").append(method).append("\":{");
  }
  void empty(std::uint64_t id, Bytes method) {
    begin(id, method);
    out_ += "}}";
  }
  void client(Bytes name) {
    out_.append(R"("client":")").append(name);
    out_.append(R"(","version":"Paperboy )").append(kVersion).append("\"");
  }
  void lifetime(std::int64_t ttl) {
    if (ttl == 0) return;
    out_.append(R"(,"expires":true,"ttl":)").append(std::to_string(ttl));
  }
  void position(const Position& at) {
    out_.append(R"("epoch":")").append(epoch_text(at.epoch));
    out_.append(R"(","offset":)").append(std::to_string(at.offset));
  }
  /// Where a subscription stands; that it can be recovered is always so.
  void standing(const Position& at, const Recovered& recovered) {
    position(at);
    out_ += R"(,"recoverable":true,"positioned":true)";
    if (recovered.asked) out_ += R"(,"was_recovering":true)";
    if (recovered.recovered) out_ += R"(,"recovered":true)";
    if (recovered.publications.empty()) return;
    out_ += R"(,"publications":)";
    publications(recovered.publications);
  }
  void publications(std::span<const Kept> all) {
    out_ += '[';
    for (const Kept& kept : all) {
      if (&kept != all.data()) out_ += ',';
      append_publication(out_, kept.kind, kept.data, kept.extra,
                         kept.position.offset);
    }
    out_ += ']';
  }
  void subscriptions(const Connected& done) {
    char before = '{';
    out_ += R"(,"subs":)";
    for (const ServerSubscription& subscription : done.subscriptions) {
      out_ += std::exchange(before, ',');
      append_json_string(out_, subscription.channel);
      out_ += ":{";
      standing(subscription.position, subscription.recovered);
      if (!subscription.data.empty()) {
        out_ += R"(,"data":)";
        append_json_line(out_, subscription.data);
      }
      out_ += '}';
    }
    out_ += '}';
  }

  std::string& out_;
};

}  // namespace

Close Native::closing(const Close& close) const {
  switch (close.code) {
    case close::kGoingAway:
      return {close::kShutdown, "shutdown"};
    case close::kExpired:
      return {close.code, "connection expired"};
    case close::kSlow:
      return {close.code, "slow"};
    case close::kInsufficientState:
      return {close.code, "insufficient state"};
    case close::kNoPong:
      return {close.code, "no pong"};
    default:
      return close;
  }
}

Decoded Native::decode(std::optional<Message>& rest) const {
  while (rest) {
    const Bytes all = rest->data;
    const std::size_t end = all.find('\n');
    const bool text = rest->kind == Kind::text;
    const Bytes line = all.substr(0, end);
    if (end == Bytes::npos || end + 1 == all.size()) {
      rest.reset();
    } else {
      rest->data.remove_prefix(end + 1);
    }
    if (!text) return Close{close::kBadRequest, "bad request"};
    auto command = read_native_command(line);
    if (!std::holds_alternative<NeedMore>(command)) return command;
  }
  return NeedMore{};
}

Answer Native::published(const Publish&, const Result<Position>&,
                         std::string&) const {
  return {};  // `reply` does
}

void Native::reply(const Outcome& outcome, std::string& replies) const {
  std::visit(Writer(replies), outcome);
}

Message Native::publication(const Publication& publication,
                            std::string& scratch) const {
  scratch += R"({"push":{"channel":)";
  append_json_string(scratch, publication.channel);
  switch (publication.event) {
    case Event::message:
    case Event::passing:
      scratch += R"(,"pub":)";
      append_publication(
          scratch, publication.kind, publication.data, publication.extra,
          publication.event == Event::message ? publication.position.offset
                                              : 0);
      break;
    case Event::join:
    case Event::leave:
      scratch += publication.event == Event::join ? R"(,"join":{"info":)"
                                                  : R"(,"leave":{"info":)";
      scratch.append(publication.data).append("}");
      break;
    case Event::anchor:
      assert(false);  // the hub's own
  }
  scratch += "}}";
  return {Kind::text, scratch};
}

}  // namespace paperboy::dialect
