// Where everything lies in a zone of a given size.
#pragma once

#include <cstddef>
#include <optional>

#include "broker/shm_layout.hpp"

namespace paperboy::broker::shm {

/// The least that a zone needs for `options`, in bytes.
[[nodiscard]] std::size_t minimum_size(const Options& options);

/// Divides `size` bytes up; nullopt: too small, too large, or bad options.
[[nodiscard]] std::optional<Geometry> divide(std::size_t size,
                                             const Options& options);

/// Pages that are kept free for withdrawals (hub/withdrawal.hpp): one of 32,
/// and at least 64 KiB where the zone is no tiny one, which has none.
[[nodiscard]] std::uint64_t reserve_pages(const Geometry& zone);

}  // namespace paperboy::broker::shm
