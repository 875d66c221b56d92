#include "broker/shm_geometry.hpp"

#include <algorithm>
#include <bit>

namespace paperboy::broker::shm {

namespace {

constexpr std::size_t kLeastPages = 16;
constexpr std::size_t kReserveOf = 32;    // pages, one is kept free
constexpr std::size_t kLeastReserve = 4;  // pages, of so many:
constexpr std::size_t kLeastReserveOf = 24;
constexpr std::size_t kLeastLog = 65'536;
constexpr std::size_t kLogUnit = 4096;

// A page holds at most 256 channels (of names of up to 22 bytes), so that
// chains stay short with 128 to 256 buckets a page.
constexpr std::size_t kBucketsOfPage = 256;

// A page holds 256 keys, which aren't all that there is.
constexpr std::size_t kKeyBucketsOfPage = kBucketsOfPage / 4;

constexpr std::size_t kPageCost =
    kPageSize + sizeof(Page) +
    (kBucketsOfPage + kKeyBucketsOfPage) * sizeof(Ref);

// A ref has 32 bits, of 16 bytes each.
constexpr std::size_t kMaxSize = std::size_t{UINT32_MAX} * kRefUnit;

constexpr std::size_t align(std::size_t n) { return (n + 63) / 64 * 64; }

/// What doesn't grow with the zone, with room for each part's alignment.
std::size_t fixed_size(const Options& options) {
  return align(sizeof(Header)) + options.seats * sizeof(Seat) + 320;
}

/// Pages for what may be kept, if that is set.
std::size_t least_pages(const Options& options) {
  return std::max(kLeastPages,
                  (options.history_size + kPageSize - 1) / kPageSize);
}

std::size_t log_size(std::size_t size, const Options& options) {
  const std::size_t wanted =
      options.log_size != 0 ? options.log_size : size / 4;
  return wanted / kLogUnit * kLogUnit;
}

}  // namespace

std::size_t minimum_size(const Options& options) {
  const std::size_t rest =
      fixed_size(options) + least_pages(options) * kPageCost;
  const std::size_t log =
      options.log_size != 0 ? options.log_size : rest / 3 + kLogUnit;
  return align(rest + std::max(log, kLeastLog));
}

std::optional<Geometry> divide(std::size_t size, const Options& options) {
  const std::size_t log = std::max(log_size(size, options), kLeastLog);
  if (options.seats == 0 || options.seats > kMaxSeats || size > kMaxSize ||
      log > size || options.history_size > size ||
      size < minimum_size(options)) {
    return std::nullopt;
  }
  Geometry g{};
  g.size = size;
  g.seats = options.seats;
  g.log_size = log;
  g.pages = (size - log - fixed_size(options)) / kPageCost;
  g.history_size = options.history_size != 0 ? options.history_size
                                             : g.pages * kPageSize / 4 * 3;
  g.buckets = std::bit_floor(g.pages * kBucketsOfPage);
  g.key_buckets = g.buckets / 4;
  g.buckets_at = align(sizeof(Header));
  g.key_buckets_at = align(g.buckets_at + g.buckets * sizeof(Ref));
  g.seats_at = align(g.key_buckets_at + g.key_buckets * sizeof(Ref));
  g.pages_at = align(g.seats_at + g.seats * sizeof(Seat));
  g.arena_at = align(g.pages_at + g.pages * sizeof(Page));
  g.log_at = align(g.arena_at + g.pages * kPageSize);
  return g;
}

std::uint64_t reserve_pages(const Geometry& zone) {
  if (zone.pages < kLeastReserveOf) return 0;
  return std::max(zone.pages / kReserveOf, std::uint64_t{kLeastReserve});
}

}  // namespace paperboy::broker::shm
