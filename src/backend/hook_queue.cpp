#include "backend/hook_queue.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/json_text.hpp"

namespace paperboy::backend {

std::size_t HookQueue::add(std::string event, std::uint64_t now) {
  waiting_.push_back({std::move(event), now});
  if (waiting_.size() - posted_ <= options_.queue) return 0;
  waiting_.erase(
      std::next(waiting_.begin(), static_cast<std::ptrdiff_t>(posted_)));
  ++lost_;
  return 1;
}

std::optional<std::uint64_t> HookQueue::due() const {
  if (on_way_ || waiting_.empty()) return {};
  if (posted_ != 0) return again_ms_;
  const std::uint64_t since = waiting_.front().since;
  return waiting_.size() >= options_.batch ? since : since + options_.delay_ms;
}

std::string HookQueue::take(Bytes node) {
  if (posted_ == 0) {
    posted_ = std::min(waiting_.size(), options_.batch);
    told_ = lost_;
  }
  on_way_ = true;
  std::string post = R"({"node":)";
  append_json_string(post, node);
  if (told_ != 0) post.append(R"(,"lost":)").append(std::to_string(told_));
  post.append(R"(,"events":[)");
  for (std::size_t i = 0; i < posted_; ++i) {
    post.append(i == 0 ? "" : ",").append(waiting_[i].json);
  }
  return post.append("]}");
}

std::size_t HookQueue::accepted() {
  const std::size_t taken = posted_;
  lost_ -= told_;
  drop_post();
  return taken;
}

std::size_t HookQueue::refused(std::uint64_t now) {
  on_way_ = false;
  if (tries_ < options_.retries) {
    const std::uint64_t pause =
        tries_ < 8 ? kFirstPause << tries_ : kLongestPause;
    again_ms_ = now + std::min(pause, kLongestPause);
    ++tries_;
    return 0;
  }
  const std::size_t gone = posted_;
  lost_ += gone;
  drop_post();
  return gone;
}

std::size_t HookQueue::give_up() {
  if (!on_way_) drop_tries();
  const std::size_t gone = waiting_.size() - posted_;
  waiting_.resize(posted_);
  lost_ += gone;
  return gone;
}

void HookQueue::drop_tries() {
  posted_ = 0;
  tries_ = 0;
}

void HookQueue::drop_post() {
  waiting_.erase(
      waiting_.begin(),
      std::next(waiting_.begin(), static_cast<std::ptrdiff_t>(posted_)));
  on_way_ = false;
  drop_tries();
}

}  // namespace paperboy::backend
