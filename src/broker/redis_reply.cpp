// RESP2 (redis.io/docs/reference/protocol-spec): what hiredis reads becomes
// replies of our own, made as their parts come. An array says how many items
// it has before they are there: nothing is set aside for them.
#include "broker/redis_reply.hpp"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <cstring>

namespace paperboy::broker::redis {

namespace {

// A line (a number, a status, an error) ends within so many bytes. What waits
// for the end of one is looked through again with each read.
constexpr std::size_t kMaxLine = 64UL * 1024;

// hiredis moves what is left to the front with each KB that it has read, so
// that much at once would be moved often.
constexpr std::size_t kMaxFeed = 16UL * 1024;

constexpr Error kTooLarge{ErrorCode::bad_request,
                          "a reply of Redis is larger than allowed"};
constexpr Error kMalformed{ErrorCode::bad_request,
                           "what came is no reply of Redis: malformed"};

}  // namespace

struct ReplyReader::Inner {
  explicit Inner(std::size_t most);
  ~Inner() { redisReaderFree(reader); }
  Inner(const Inner&) = delete;
  Inner& operator=(const Inner&) = delete;

  static Inner& of(const redisReadTask* task) {
    return *static_cast<Inner*>(task->privdata);
  }
  // The next part of the reply, where the task says. Null: it is too large.
  static Reply* add(const redisReadTask* task, Reply::Kind kind,
                    std::size_t bytes);
  static void* create_string(const redisReadTask* task, char* text,
                             std::size_t size);
  static void* create_array(const redisReadTask* task, int items);
  static void* create_integer(const redisReadTask* task, long long value);
  static void* create_nil(const redisReadTask* task);
  static void free_object(void* /*reply*/) {}

  [[nodiscard]] std::size_t unread() const { return reader->len - reader->pos; }
  [[nodiscard]] bool is_endless() const;
  Error breaks(const Error& error);
  bool move_on();

  std::size_t most;
  redisReader* reader;
  Reply root;            // what hiredis makes now
  std::size_t used = 0;  // bytes of it
  std::string waiting;   // not given to hiredis yet: from `taken` on
  std::size_t taken = 0;
  std::optional<Error> broken;
};

ReplyReader::Inner::Inner(std::size_t most) : most(most) {
  static redisReplyObjectFunctions table{
      create_string, create_array, create_integer, create_nil, free_object};
  reader = redisReaderCreateWithFunctions(&table);
  reader->privdata = this;
}

/// Its parent is the last of the parts that were begun, and gets no other one
/// before this one is whole: pointers to both hold until then.
Reply* ReplyReader::Inner::add(const redisReadTask* task, Reply::Kind kind,
                               std::size_t bytes) {
  Inner& inner = of(task);
  inner.used += sizeof(Reply) + bytes;
  if (inner.used > inner.most) {
    inner.broken = kTooLarge;
    return nullptr;
  }
  Reply* reply = &inner.root;
  if (task->parent != nullptr) {
    reply = &static_cast<Reply*>(task->parent->obj)->items.emplace_back();
  }
  reply->kind = kind;
  return reply;
}

void* ReplyReader::Inner::create_string(const redisReadTask* task, char* text,
                                        std::size_t size) {
  const bool error = task->type == REDIS_REPLY_ERROR;
  Reply* const reply =
      add(task, error ? Reply::Kind::error : Reply::Kind::string, size);
  if (reply != nullptr) reply->text.assign(text, size);
  return reply;
}

void* ReplyReader::Inner::create_array(const redisReadTask* task,
                                       int /*items*/) {
  return add(task, Reply::Kind::array, 0);
}

void* ReplyReader::Inner::create_integer(const redisReadTask* task,
                                         long long value) {
  Reply* const reply = add(task, Reply::Kind::integer, 0);
  if (reply != nullptr) reply->integer = value;
  return reply;
}

void* ReplyReader::Inner::create_nil(const redisReadTask* task) {
  return add(task, Reply::Kind::nil, 0);
}

/// A line that goes on and on.
bool ReplyReader::Inner::is_endless() const {
  return unread() > kMaxLine &&
         std::memchr(reader->buf + reader->pos, '\n', kMaxLine) == nullptr;
}

/// The first that was wrong is what is said.
Error ReplyReader::Inner::breaks(const Error& error) {
  if (!broken) broken = error;
  return *broken;
}

/// Gives hiredis some of what waits. False: nothing does.
bool ReplyReader::Inner::move_on() {
  const std::size_t size = std::min(waiting.size() - taken, kMaxFeed);
  if (size == 0) return false;
  redisReaderFeed(reader, waiting.data() + taken, size);
  taken += size;
  if (taken == waiting.size()) {
    waiting.clear();
    taken = 0;
  }
  return true;
}

ReplyReader::ReplyReader(std::size_t most)
    : inner_(std::make_unique<Inner>(most)) {}

ReplyReader::~ReplyReader() = default;

Result<Done> ReplyReader::feed(Bytes bytes) {
  if (inner_->broken) return *inner_->broken;
  inner_->waiting.append(bytes);
  return Done{};
}

Result<std::optional<Reply>> ReplyReader::next() {
  Inner& inner = *inner_;
  if (inner.broken) return *inner.broken;
  do {
    void* reply = nullptr;
    if (redisReaderGetReply(inner.reader, &reply) != REDIS_OK) {
      return inner.breaks(kMalformed);
    }
    if (reply != nullptr) {
      inner.used = 0;
      return std::optional(std::exchange(inner.root, Reply{}));
    }
    if (inner.used + inner.unread() > inner.most) {
      return inner.breaks(kTooLarge);
    }
    if (inner.is_endless()) return inner.breaks(kMalformed);
  } while (inner.move_on());
  return std::optional<Reply>();
}

void append_command(std::string& out, std::span<const Bytes> words) {
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  texts.reserve(words.size());
  sizes.reserve(words.size());
  for (const Bytes word : words) {
    texts.push_back(word.data());
    sizes.push_back(word.size());
  }
  char* command = nullptr;
  const int size = redisFormatCommandArgv(
      &command, static_cast<int>(words.size()), texts.data(), sizes.data());
  if (size > 0) out.append(command, static_cast<std::size_t>(size));
  redisFreeCommand(command);
}

}  // namespace paperboy::broker::redis
