#include "nginx/revocation_desk.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "nginx/directives.hpp"
#include "nginx/order_desk.hpp"
#include "nginx/table_zone.hpp"
#include "nginx/worker.hpp"

namespace paperboy::nginx {

namespace {

constexpr std::uint64_t kQuietMs = 60'000;  // between two complaints
constexpr std::int64_t kSweepSeconds = 64;

char* set_limits(ngx_conf_t* cf, MainConf& main) {
  hub::RevocationLimits& limits = main.revocation_limits;
  if (main.revocation_ttl != NGX_CONF_UNSET) {
    constexpr time_t kMost = 10L * 365 * 86'400;
    if (main.revocation_ttl < 1 || main.revocation_ttl > kMost) {
      return conf_error(cf, "paperboy_revocation_ttl",
                        "expected from one second to ten years");
    }
    limits.seconds = static_cast<std::uint32_t>(main.revocation_ttl);
  }
  if (main.max_revocations != NGX_CONF_UNSET) {
    constexpr ngx_int_t kMost = 10'000'000;
    if (main.max_revocations < 1 || main.max_revocations > kMost) {
      return conf_error(cf, "paperboy_max_revocations",
                        "expected from 1 to 10000000");
    }
    limits.most = static_cast<std::uint32_t>(main.max_revocations);
  }
  return NGX_CONF_OK;
}

}  // namespace

RevocationDesk::RevocationDesk(hub::Hub& hub, OrderDesk& desk,
                               const MainConf& main)
    : desk_(desk),
      main_(main),
      revoker_(hub, worker_clock(), main.revocation_limits,
               [this](const Revocation& one) { take(one); }) {}

void RevocationDesk::listen() {
  if (all() == nullptr) return;
  (void)revoker_.listen();
  (void)known();
}

/// Who begins after a reload has what others have read. Where one had no room
/// that is so for each worker, since each takes all.
bool RevocationDesk::known() {
  if (all() == nullptr || main_.revocations->complete()) return true;
  if (!revoker_.complete() || lacks_) return false;
  main_.revocations->set_complete();
  return true;
}

void RevocationDesk::look() {
  if (all() == nullptr) return;
  (void)revoker_.look();
  if (std::exchange(any_, false)) desk_.recheck();
}

/// Others' time may have come, so that there is room for what had none.
void RevocationDesk::tick() {
  listen();
  const std::int64_t now = worker_clock().unix_seconds();
  if (all() == nullptr) return;
  if (lacks_ && revoker_.complete() && !known()) complain();
  if (now % kSweepSeconds != 0) return;
  main_.revocations->sweep(now);
  if (!std::exchange(lacks_, false)) return;
  revoker_.read_again();
  listen();
}

/// Each worker of the node takes each; the first changes the table. Where it
/// has no room for one, it isn't searched for room for each of the others.
void RevocationDesk::take(const Revocation& revocation) {
  any_ = true;
  if (lacks_ && !main_.revocations->complete()) return;
  if (main_.revocations->covers(revocation)) return;
  lacks_ |= !main_.revocations->add(revocation, worker_clock().unix_seconds());
}

void RevocationDesk::complain() {
  const std::uint64_t now = worker_clock().monotonic_ms();
  if (now < quiet_until_) return;
  quiet_until_ = now + kQuietMs;
  ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                "paperboy_max_revocations: %uz are remembered, for which there "
                "is no room on this node, and no token lets in: give at least "
                "%uz",
                revoker_.remembered(), revoker_.remembered());
}

ngx_int_t finish_revocations(ngx_conf_t* cf) {
  MainConf& main = main_conf(cf);
  if (set_limits(cf, main) != NGX_CONF_OK) return NGX_ERROR;
  if (!main.in_use) return NGX_OK;
  return add_table_zone(
      cf, {.name = ngx_string("paperboy_max_revocations"),
           .size = auth::Revocations::size_for(main.revocation_limits.most),
           .format =
               [](std::span<std::byte> memory, const MainConf&) {
                 std::ranges::fill(memory, std::byte{});
                 return auth::Revocations::format(memory);
               },
           .attach = [](std::span<std::byte> memory,
                        MainConf& all) { all.revocations->attach(memory); }});
}

}  // namespace paperboy::nginx
