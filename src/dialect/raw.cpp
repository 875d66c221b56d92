#include "dialect/raw.hpp"

namespace paperboy::dialect {

Decoded Raw::decode(std::optional<Message>& rest) const {
  if (!rest) return NeedMore{};
  const Publish command{.channel = {}, .message = *rest};
  rest.reset();
  return command;
}

Answer Raw::published(const Publish&, const Result<Position>& outcome,
                      std::string&) const {
  if (outcome) return {};
  switch (outcome.error().code) {
    case ErrorCode::log_full:
    case ErrorCode::unavailable:
    case ErrorCode::not_replicated:
    case ErrorCode::too_many_channels:
      return Close{close::kTryAgainLater, outcome.error().message};
    case ErrorCode::too_large:
      return Close{close::kTooBig, outcome.error().message};
    case ErrorCode::internal:
      return Close{close::kInternal, outcome.error().message};
    default:
      return Close{close::kPolicy, outcome.error().message};
  }
}

Message Raw::publication(const Publication& publication, std::string&) const {
  return {publication.kind, publication.data};
}

const Dialect* Raw::agreed() const {
  static const PositionedRaw positioned;
  return &positioned;
}

namespace {

void append_place(std::string& out, const Position& position, Bytes channel) {
  out.append(position_text(position)).append(" ");
  for (const char c : channel) out += c == '\n' ? ' ' : c;
}

}  // namespace

std::optional<Message> PositionedRaw::beginning(Bytes channel,
                                                const Position& position,
                                                std::string& scratch) const {
  append_place(scratch, position, channel);
  return Message{Kind::text, scratch};
}

Message PositionedRaw::publication(const Publication& publication,
                                   std::string& scratch) const {
  append_place(scratch, publication.position, publication.channel);
  scratch.append("\n").append(publication.data);
  return {publication.kind, scratch};
}

}  // namespace paperboy::dialect
