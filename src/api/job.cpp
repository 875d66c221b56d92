#include "api/job.hpp"

#include <algorithm>

#include "api/answers.hpp"
#include "hub/key.hpp"

namespace paperboy::api {

namespace {

constexpr Bytes kNothing = "{}";

std::string error_json(ErrorCode code) {
  std::string json;
  append_error(json, code);
  return json;
}

}  // namespace

/// What a broadcast has heard from its channels.
struct Job::Broadcasting {
  std::vector<std::string> responses;
  std::size_t waiting;
};

Job::Job(const Services& services, Scope scope, Request request, Reply reply)
    : services_(services),
      scope_(std::move(scope)),
      request_(std::move(request)),
      reply_(std::move(reply)),
      outcomes_(request_.calls.size()) {}

// ---- one after the other ---------------------------------------------------

/// Also called when a call is done that was waited for.
void Job::run() {
  if (running_) return;
  const auto self = shared_from_this();
  running_ = true;
  while (next_ < request_.calls.size() &&
         (request_.parallel || waiting_ == 0)) {
    begin(next_++);
  }
  running_ = false;
  if (waiting_ > 0 || next_ < request_.calls.size()) return;
  reply_(answer());
}

void Job::begin(std::size_t index) {
  ++waiting_;
  std::visit([&](const auto& command) { obey(index, command); },
             request_.calls[index].command);
}

void Job::done(std::size_t index, std::string result) {
  read_ += result.size();
  outcomes_[index] = {false, std::move(result)};
  --waiting_;
  run();
}

void Job::fail(std::size_t index, ErrorCode code) {
  outcomes_[index] = {true, error_json(code)};
  --waiting_;
  run();
}

// ---- the answer ------------------------------------------------------------

std::string Job::answer() const {
  const bool batch = request_.form == Request::Form::batch;
  std::string out(batch ? R"({"replies":[)" : "");
  for (std::size_t i = 0; i < outcomes_.size(); ++i) {
    const auto& [failed, json] = outcomes_[i];
    const Call& call = request_.calls[i];
    if (i > 0) out += batch ? ',' : '\n';
    out += '{';
    if (call.id != 0) {
      out.append(R"("id":)").append(std::to_string(call.id)).append(",");
    }
    const Bytes name = failed ? "error" : (batch ? call.method : "result");
    out.append("\"").append(name).append("\":").append(json).append("}");
  }
  return batch ? out.append("]}") : out;
}

/// What one request may still read: the more of it, the less is left.
std::size_t Job::room() const {
  return scope_.max_answer - std::min(read_, scope_.max_answer);
}

Result<std::string> Job::key(Bytes name) const {
  return hub::channel_key(scope_.name_space, name, scope_.max_channel_length);
}

// ---- publishing ------------------------------------------------------------

void Job::publish(const Publish& command, const std::string& channel,
                  const std::function<void(std::string, bool failed)>& reply) {
  const auto key = this->key(channel);
  if (!key) {
    services_.counters.add(Counter::publish_errors);
    reply(error_json(key.error().code), true);
    return;
  }
  const auto answer =
      [self = shared_from_this(), reply,
       kept = !command.passing](const Result<hub::Published>& outcome) {
        if (!outcome || !outcome->repeated) {
          self->services_.counters.add(outcome ? Counter::publications
                                               : Counter::publish_errors);
        }
        std::string json;
        if (outcome) {
          append_position(json, outcome->position, kept);
        } else {
          append_error(json, outcome.error().code);
        }
        reply(std::move(json), !outcome);
      };
  services_.hub.publish(
      {.channel = *key,
       .kind = command.kind,
       .event = command.passing ? Event::passing : Event::message,
       .data = command.message(),
       .extra = command.extra,
       .idempotency_key = command.idempotency_key},
      answer);
}

void Job::obey(std::size_t index, const Publish& command) {
  if (command.broadcast) {
    broadcast(index, command);
    return;
  }
  publish(command, command.channels.front(),
          [self = shared_from_this(), index](std::string json, bool failed) {
            self->outcomes_[index] = {failed, std::move(json)};
            --self->waiting_;
            self->run();
          });
}

/// What one channel refuses, others may take.
void Job::broadcast(std::size_t index, const Publish& command) {
  const auto all = std::make_shared<Broadcasting>();
  all->waiting = command.channels.size();
  all->responses.resize(command.channels.size());
  for (std::size_t i = 0; i < command.channels.size(); ++i) {
    const auto note = [self = shared_from_this(), all, index, i](
                          const std::string& json, bool failed) {
      all->responses[i] =
          (failed ? R"({"error":)" : R"({"result":)") + json + "}";
      if (--all->waiting > 0) return;
      std::string result(R"({"responses":[)");
      for (const std::string& response : all->responses) {
        if (&response != all->responses.data()) result += ',';
        result += response;
      }
      self->done(index, result.append("]}"));
    };
    publish(command, command.channels[i], note);
  }
}

// ---- clients ---------------------------------------------------------------

/// Answered when it is on its way to all workers.
void Job::obey(std::size_t index, const Instruct& command) {
  hub::Order order = command.order;
  order.name_space = scope_.name_space;
  if (!order.channel.empty()) {
    auto key = this->key(order.channel);
    if (!key) {
      fail(index, key.error().code);
      return;
    }
    order.channel = std::move(*key);
  }
  services_.orders.send(order, [self = shared_from_this(),
                                index](const Result<hub::Published>& outcome) {
    if (outcome) {
      self->done(index, std::string(kNothing));
    } else {
      self->fail(index, outcome.error().code);
    }
  });
}

/// Answered when it is on its way to all workers, and kept for those to come.
void Job::obey(std::size_t index, const Revoke& command) {
  hub::Revoker::Wish wish = command.wish;
  wish.revocation.name_space = scope_.name_space;
  if (!wish.revocation.channel.empty()) {
    auto key = this->key(wish.revocation.channel);
    if (!key) {
      fail(index, key.error().code);
      return;
    }
    wish.revocation.channel = std::move(*key);
  }
  services_.revoker.revoke(
      wish, [self = shared_from_this(), index](const Result<Done>& outcome) {
        if (outcome) {
          self->done(index, std::string(kNothing));
        } else {
          self->fail(index, outcome.error().code);
        }
      });
}

/// Answered when it is on its way to all workers, and good on this node.
void Job::obey(std::size_t index, const CreateToken& command) {
  if (services_.tokens == nullptr) return fail(index, ErrorCode::not_available);
  hub::TokenWish wish = command.wish;
  wish.name_space = scope_.name_space;
  services_.tokens->create(wish, [self = shared_from_this(), index](
                                     const Result<hub::MadeToken>& outcome) {
    if (!outcome) return self->fail(index, outcome.error().code);
    std::string result;
    append_token(result, *outcome);
    self->done(index, std::move(result));
  });
}

void Job::obey(std::size_t index, const EndToken& command) {
  if (services_.tokens == nullptr) return fail(index, ErrorCode::not_available);
  services_.tokens->end(
      scope_.name_space, command.token,
      [self = shared_from_this(), index](const Result<bool>& outcome) {
        if (!outcome) return self->fail(index, outcome.error().code);
        self->done(index,
                   *outcome ? R"({"ended":true})" : R"({"ended":false})");
      });
}

// ---- reading ---------------------------------------------------------------

void Job::obey(std::size_t index, const Presence& command) {
  const auto channel = key(command.channel);
  if (!channel || !services_.hub.rule(*channel).presence) {
    fail(index, channel ? ErrorCode::not_available : channel.error().code);
    return;
  }
  const auto answer = [self = shared_from_this(), index](const auto& outcome,
                                                         auto append) {
    std::string result;
    if (outcome) append(result, *outcome);
    if (!outcome) {
      self->fail(index, outcome.error().code);
    } else if (result.size() > self->room()) {
      self->fail(index, ErrorCode::too_large);
    } else {
      self->done(index, std::move(result));
    }
  };
  if (command.stats) {
    services_.hub.presence().stats(*channel, [answer](const auto& outcome) {
      answer(outcome, append_stats);
    });
  } else {
    services_.hub.presence().members(*channel, [answer](const auto& outcome) {
      answer(outcome, append_members);
    });
  }
}

void Job::obey(std::size_t index, const History& command) {
  const auto channel = key(command.channel);
  if (!channel || services_.hub.rule(*channel).keep.count == 0) {
    fail(index, channel ? ErrorCode::not_available : channel.error().code);
    return;
  }
  HistoryQuery query = command.query;
  query.limit = std::min(query.limit, scope_.max_history);
  query.bytes = room();
  const auto answer = [self = shared_from_this(), index,
                       since = query.since](const Result<HistoryPage>& page) {
    // Nothing was ever published, or nobody remembers.
    if (!page && page.error().code == ErrorCode::not_found) {
      std::string result;
      append_history(result, {});
      self->done(index, std::move(result));
      return;
    }
    const bool foreign =
        page && since && since->epoch != 0 && since->epoch != page->top.epoch;
    if (!page || foreign) {
      self->fail(index, page ? ErrorCode::unrecoverable : page.error().code);
      return;
    }
    std::string result;
    append_history(result, *page);
    self->done(index, std::move(result));
  };
  services_.hub.broker().history(*channel, query, answer);
}

void Job::obey(std::size_t index, const RemoveHistory& command) {
  const auto channel = key(command.channel);
  if (!channel || services_.hub.rule(*channel).keep.count == 0) {
    fail(index, channel ? ErrorCode::not_available : channel.error().code);
    return;
  }
  services_.hub.broker().remove_history(
      *channel,
      [self = shared_from_this(), index](const Result<Done>& outcome) {
        if (outcome) {
          self->done(index, std::string(kNothing));
        } else {
          self->fail(index, outcome.error().code);
        }
      });
}

// ---- the node --------------------------------------------------------------

void Job::obey(std::size_t index, const Channels& command) {
  const auto answer = [self = shared_from_this(),
                       index](const Result<ActiveChannels>& channels) {
    if (!channels) return self->fail(index, channels.error().code);
    std::string result;
    append_channels(result, *channels);
    if (result.size() > self->room()) {
      return self->fail(index, ErrorCode::too_large);
    }
    self->done(index, std::move(result));
  };
  services_.node.channels({.name_space = scope_.name_space,
                           .pattern = command.pattern,
                           .room = room()},
                          answer);
}

void Job::obey(std::size_t index, const Info&) {
  services_.node.info([self = shared_from_this(),
                       index](const Result<std::vector<NodeInfo>>& nodes) {
    if (!nodes) return self->fail(index, nodes.error().code);
    std::string result;
    append_info(result, *nodes);
    self->done(index, std::move(result));
  });
}

void Job::obey(std::size_t index, const Refused& command) {
  fail(index, command.code);
}

}  // namespace paperboy::api
