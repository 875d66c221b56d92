#include "broker/redis_burial.hpp"

#include <utility>

namespace paperboy::broker::redis {

namespace {

constexpr Bytes kAtOnce = "200";  // members, about

}  // namespace

Burial::Burial(Engine& engine, Store& store, Done done)
    : engine_(engine), store_(store), done_(std::move(done)) {}

Burial::~Burial() { *self_ = nullptr; }

void Burial::bury(const std::string& holder, bool tells) {
  for (const Grave& grave : graves_) {
    if (grave.holder == holder) return;
  }
  graves_.push_back({.holder = holder, .tells = tells});
  if (graves_.size() == 1) scan();
}

void Burial::scan() {
  const Grave& grave = graves_.front();
  engine_.command(grave.bucket,
                  {"HSCAN", store_.keys().held(grave.bucket, grave.holder),
                   grave.cursor, "COUNT", std::string(kAtOnce)},
                  [self = self_](const Result<Reply>& reply) {
                    if (*self != nullptr) (*self)->scanned(reply);
                  });
}

/// The cursor, and serials with their channels.
void Burial::scanned(const Result<Reply>& reply) {
  if (!reply || reply->items.size() != 2) return end(false);
  const auto& found = reply->items[1].items;
  if (found.size() < 2) return go_on(reply->items[0].text);
  remove(found, reply->items[0].text);
}

void Burial::remove(const std::vector<Reply>& found, const std::string& next) {
  const Grave& grave = graves_.front();
  const Keys& keys = store_.keys();
  std::vector<std::string> names = {keys.bucket(grave.bucket),
                                    keys.held(grave.bucket, grave.holder)};
  std::vector<std::string> words = store_.arguments(grave.bucket);
  words.push_back(grave.holder);
  words.emplace_back(grave.tells ? "publishing" : "silent");
  for (std::size_t i = 0; i + 1 < found.size(); i += 2) {
    const std::string& channel = found[i + 1].text;
    names.push_back(keys.members(channel));
    names.push_back(keys.meta(channel));
    names.push_back(keys.stream(channel));
    words.push_back(found[i].text);
    words.push_back(keys.topic(channel));
  }
  engine_.call(
      grave.bucket, Script::bury, names, words,
      [self = self_, bucket = grave.bucket, next](const Result<Reply>& reply) {
        if (*self == nullptr) return;
        if (!reply || reply->items.size() != 2) {
          return (*self)->end(false);
        }
        (void)(*self)->store_.heed(bucket, reply->items[1].string());
        (*self)->go_on(next);
      });
}

void Burial::go_on(const std::string& next) {
  Grave& grave = graves_.front();
  grave.cursor = next;
  if (next == "0" && ++grave.bucket == kBuckets) {
    return end(true);
  }
  scan();
}

void Burial::end(bool done) {
  const std::string holder = std::move(graves_.front().holder);
  graves_.pop_front();
  if (!graves_.empty()) scan();
  done_(holder, done);
}

}  // namespace paperboy::broker::redis
