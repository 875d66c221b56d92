#include "base/error.hpp"

#include <array>
#include <cstddef>

namespace paperboy {

namespace {

struct Row {
  ErrorCode code;
  int status;
  Bytes name;
};

constexpr std::array kRows{
    Row{ErrorCode::bad_request, 400, "bad_request"},
    Row{ErrorCode::unauthorized, 401, "unauthorized"},
    Row{ErrorCode::forbidden, 403, "forbidden"},
    Row{ErrorCode::not_found, 404, "not_found"},
    Row{ErrorCode::too_large, 413, "too_large"},
    Row{ErrorCode::channel_name, 400, "channel_name"},
    Row{ErrorCode::too_many_channels, 503, "too_many_channels"},
    Row{ErrorCode::subscription_limit, 400, "subscription_limit"},
    Row{ErrorCode::log_full, 503, "log_full"},
    Row{ErrorCode::unavailable, 503, "unavailable"},
    Row{ErrorCode::internal, 500, "internal"},
    Row{ErrorCode::token_expired, 401, "token_expired"},
    Row{ErrorCode::already_subscribed, 409, "already_subscribed"},
    Row{ErrorCode::no_method, 404, "no_method"},
    Row{ErrorCode::not_available, 404, "not_available"},
    Row{ErrorCode::channel_full, 503, "channel_full"},
    Row{ErrorCode::zone_full, 503, "zone_full"},
    Row{ErrorCode::unrecoverable, 409, "unrecoverable"},
    Row{ErrorCode::not_replicated, 503, "not_replicated"},
    Row{ErrorCode::rate_limited, 429, "rate_limited"},
};

constexpr const Row& row(ErrorCode code) {
  return kRows[static_cast<std::size_t>(code)];
}

constexpr bool in_order() {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    if (static_cast<std::size_t>(kRows[i].code) != i) return false;
  }
  return true;
}
static_assert(in_order());

}  // namespace

int http_status(ErrorCode code) { return row(code).status; }

Bytes error_name(ErrorCode code) { return row(code).name; }

}  // namespace paperboy
