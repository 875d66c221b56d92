// The master that Sentinels name (redis.io/docs/reference/sentinel-clients).
// One of them is asked, and again every second, so that a failover is seen even
// where the old master can be reached; if it is silent, or names a server that
// is no master (it may be behind), the next one is asked.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "broker/redis_asker.hpp"
#include "broker/redis_guide.hpp"

namespace paperboy::broker::redis {

class SentinelGuide final : public Guide, private AskerEvents {
 public:
  /// REQUIRES: the options name Sentinels and a master.
  SentinelGuide(Network& network, const Options& options);

  void start(GuideEvents& events) override { events_ = &events; }
  void find() override;
  void note_up() override;
  bool note_lost(bool was_up) override;

 private:
  std::string on_answers(const Server& server,
                         const std::vector<Reply>& answers) override;
  void on_nobody() override;

  void ask();

  const Options& options_;
  GuideEvents* events_ = nullptr;
  std::size_t next_ = 0;  // the Sentinel to ask first
  bool finding_ = false;  // an event is owed
  bool up_ = false;
  Server named_;
  std::unique_ptr<Alarm> poll_;
  Asker asker_;
};

}  // namespace paperboy::broker::redis
