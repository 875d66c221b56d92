#include "nginx/jwks_desk.hpp"

#include <sys/stat.h>

#include <fstream>
#include <utility>

#include "nginx/conf.hpp"
#include "nginx/worker.hpp"

namespace paperboy::nginx {

namespace {

void log(ngx_uint_t level, const JwksConf& conf, const std::string& text) {
  const ngx_str_t place = borrow(conf.place());
  const ngx_str_t line = borrow(text);
  ngx_log_error(level, ngx_cycle->log, 0, "paperboy_jwks \"%V\": %V", &place,
                &line);
}

std::string why_no_answer(const InnerAnswer& answer, const JwksConf& conf) {
  if (answer.too_large) {
    return "the answer is larger than " + std::to_string(conf.limits.size) +
           " bytes";
  }
  if (answer.status != NGX_HTTP_OK && answer.status != 0) {
    return "the answer is " + std::to_string(answer.status);
  }
  return "there is no answer, or none that is complete";
}

std::string lines_of(const std::vector<std::string>& skipped) {
  std::string text;
  for (const std::string& one : skipped) {
    text.append(text.empty() ? "" : "; ").append(one);
  }
  return text;
}

}  // namespace

std::optional<FileMark> mark_of(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return {};
  return FileMark{.device = found.st_dev,
                  .inode = found.st_ino,
                  .size = found.st_size,
                  .seconds = found.st_mtim.tv_sec,
                  .nanoseconds = found.st_mtim.tv_nsec};
}

std::optional<std::string> read_jwks_file(const std::string& path,
                                          std::size_t limit) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return {};
  std::string text(limit + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return {};
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

JwksKeeper::JwksKeeper(std::shared_ptr<const JwksConf> conf)
    : conf_(std::move(conf)), mark_(conf_->mark) {}

void JwksKeeper::tick(std::uint64_t now) {
  look(now);
  if (conf_->max_age_ms != 0 && conf_->keys->filled()) drop_old(now);
}

void JwksKeeper::look(std::uint64_t now) {
  if (!conf_->path.empty()) return look_at_file(now);
  if (asking_ || ngx_exiting != 0) return;
  const bool may = asked_ms_ == 0 || now >= asked_ms_ + conf_->retry_ms;
  if (may && (now >= due_ms_ || conf_->keys->take_wanted())) ask(now);
}

/// A file is replaced by renaming another; one that is written in place may be
/// seen half done, and is looked at again when it is whole.
void JwksKeeper::look_at_file(std::uint64_t now) {
  const auto mark = mark_of(conf_->path);
  if (!mark) return complain("the file can't be read");
  if (*mark == mark_) {
    if (good_) good_ms_ = now;
    return;
  }
  const auto text = read_jwks_file(conf_->path, conf_->limits.size);
  if (!text) return complain("the file can't be read");
  mark_ = *mark;
  good_ = false;
  take(*text);
}

/// Those of a file were there when the configuration was read.
void JwksKeeper::drop_old(std::uint64_t now) {
  if (good_ms_ == 0) good_ms_ = now;
  if (now - good_ms_ < conf_->max_age_ms) return;
  conf_->keys->drop();
  mark_ = {};
  log(NGX_LOG_ERR, *conf_,
      "for " + std::to_string(conf_->max_age_ms / 1000) +
          " seconds there was no key set (max_age); no token of its keys is "
          "taken");
}

void JwksKeeper::ask(std::uint64_t now) {
  asking_ = true;
  asked_ms_ = now;
  due_ms_ = now + conf_->retry_ms;
  InnerRequest::start({.server = conf_->server,
                       .uri = conf_->uri,
                       .max_size = conf_->limits.size,
                       .timeout = conf_->timeout_ms},
                      [self = shared_from_this()](const InnerAnswer& answer) {
                        self->on_answer(answer);
                      });
}

void JwksKeeper::on_answer(const InnerAnswer& answer) {
  asking_ = false;
  if (!answer.complete || answer.status != NGX_HTTP_OK) {
    return complain(why_no_answer(answer, *conf_));
  }
  take(answer.body);
}

/// Workers that start together don't ask together for ever. What the set
/// doesn't have is withdrawn, be it the last key.
void JwksKeeper::take(Bytes text) {
  auto set = auth::read_jwks(text, conf_->limits);
  if (!set) return complain(set.error());
  const ngx_msec_t spread = conf_->refresh_ms / 10 + 1;
  due_ms_ = asked_ms_ + conf_->refresh_ms -
            static_cast<ngx_msec_t>(ngx_random()) % spread;
  good_ = true;
  good_ms_ = worker_clock().monotonic_ms();
  const std::string none = auth::why_no_key(*set);
  if (!none.empty() && none != complaint_) {
    log(NGX_LOG_WARN, *conf_, none + "; no token of its keys is taken");
  }
  complaint_ = none;
  const std::string skipped = lines_of(set->skipped);
  if (!skipped.empty() && skipped != skipped_) {
    log(NGX_LOG_WARN, *conf_, "passed over: " + skipped);
  }
  skipped_ = skipped;
  log(NGX_LOG_INFO, *conf_,
      std::to_string(set->keys.size()) + " keys are read");
  conf_->keys->replace(std::move(set->keys));
}

/// Once, until it is another.
void JwksKeeper::complain(const std::string& why) {
  if (why == complaint_) return;
  complaint_ = why;
  log(NGX_LOG_ERR, *conf_,
      why + (conf_->keys->filled() ? "; the keys before stay"
                                   : "; no token of its keys is taken"));
}

/// Without a master, a reload changes the configuration under a worker.
void JwksDesk::tick() {
  const auto& main = *static_cast<MainConf*>(
      ngx_http_cycle_get_module_main_conf(ngx_cycle, ngx_http_paperboy_module));
  if (confs_ != main.jwks) {
    confs_ = main.jwks;
    keepers_.clear();
    for (const auto& conf : confs_) {
      keepers_.push_back(std::make_shared<JwksKeeper>(conf));
    }
  }
  const std::uint64_t now = worker_clock().monotonic_ms();
  for (const auto& keeper : keepers_) keeper->tick(now);
}

}  // namespace paperboy::nginx
