// The network as nginx's event loop has it, for what speaks to Redis. One a
// worker. What it makes is none of nginx's clients' business: no pressure on
// its table of connections closes it, no timeout of a shutdown, and it keeps no
// worker from going.
#pragma once

#include "nginx/ngx.hpp"

#include "broker/redis_network.hpp"
#include "nginx/redis_conf.hpp"

namespace paperboy::nginx {

class Worker;

class NginxNetwork final : public broker::redis::Network {
 public:
  /// All must outlive this. `name`: the directive, for the log.
  NginxNetwork(Worker& worker, const RedisConf& conf, Bytes name)
      : worker_(worker), conf_(conf), name_(name) {}

  std::unique_ptr<broker::redis::Wire> connect(
      const broker::redis::Server& server,
      broker::redis::WireEvents& events) override;
  std::unique_ptr<broker::redis::Alarm> alarm(std::function<void()> ring,
                                              bool holds) override;
  [[nodiscard]] const Clock& clock() const override;
  std::uint64_t random() override;
  void log(broker::redis::LogLevel level, Bytes text) override;

 private:
  Worker& worker_;
  const RedisConf& conf_;
  const Bytes name_;
};

}  // namespace paperboy::nginx
