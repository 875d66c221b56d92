#include "base/history.hpp"

namespace paperboy {

bool is_complete(const HistoryPage& page, const Position& since) {
  if (page.top.epoch != since.epoch || page.top.offset < since.offset) {
    return false;
  }
  std::uint64_t next = since.offset + 1;
  for (const Kept& kept : page.publications) {
    if (kept.position.offset != next++) return false;
  }
  return next == page.top.offset + 1;
}

}  // namespace paperboy
