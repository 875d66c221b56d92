// Removes from Redis the members of holders that are no more, and tells the
// channels of those who were announced that they have left: bucket by bucket,
// a few at a time, one holder after the other. What fails midway is somebody
// else's after a while: each member is removed, and told, once.
//
// One a worker, owned by its RedisPresence.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "broker/redis_engine.hpp"
#include "broker/redis_store.hpp"

namespace paperboy::broker::redis {

class Burial {
 public:
  /// Called with each holder: nothing is left of it, or it couldn't be done.
  using Done = std::function<void(const std::string& holder, bool done)>;

  /// Both must outlive this.
  Burial(Engine& engine, Store& store, Done done);
  ~Burial();
  Burial(const Burial&) = delete;
  Burial& operator=(const Burial&) = delete;

  /// `tells`: who was announced is told to have left.
  void bury(const std::string& holder, bool tells);

 private:
  struct Grave {
    std::string holder;
    bool tells = true;
    Bucket bucket = 0;
    std::string cursor = "0";  // of the scan
  };

  void scan();
  void scanned(const Result<Reply>& reply);
  void remove(const std::vector<Reply>& found, const std::string& next);
  void go_on(const std::string& next);
  void end(bool done);

  Engine& engine_;
  Store& store_;
  Done done_;
  std::deque<Grave> graves_;

  // Redis may answer when it is gone.
  std::shared_ptr<Burial*> self_ = std::make_shared<Burial*>(this);
};

}  // namespace paperboy::broker::redis
