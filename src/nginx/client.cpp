#include "nginx/client.hpp"

#include "nginx/worker.hpp"

namespace paperboy::nginx {

/// A process has one; a client needn't remember it.
Worker& Client::worker() { return *Worker::current(); }

Client::Client() : since_ms_(worker_clock().monotonic_ms()) {
  worker().context().counters.add(Counter::connections);
}

/// Some go when the worker has.
Client::~Client() {
  Worker* const worker = Worker::current();
  if (worker == nullptr) return;
  if (queued_) worker->forget(*this);
  if (logged_) worker->captured().erase(this);
  worker->limits().release(*this);
  worker->context().counters.subtract(Counter::connections);
  drop_outbox();
}

session::Warden* Client::warden() { return worker().limits().warden(*this); }

bool Client::limit(const auth::Allowance& limits, Bytes name_space,
                   Bytes user) {
  return worker().limits().limit(*this, conf(), limits, name_space, user);
}

// ---- out -------------------------------------------------------------------

void Client::queue() {
  if (queued_) return;
  worker().queue(*this);
  queued_ = true;
}

void Client::write(Bytes bytes) {
  if (!outbox_) outbox_ = std::make_unique<Outbox>();
  outbox_->add(bytes);
  queue();
}

void Client::write_shared(Bytes run) {
  if (!outbox_) outbox_ = std::make_unique<Outbox>();
  outbox_->add_shared(run);
  queue();
}

/// Without the memory to keep what its client hasn't read, it ends.
void Client::settle() noexcept {
  try {
    flush();
  } catch (...) {
    log_exception();
    drop_outbox();  // the runs in it are about to go
    end_now();
  }
}

/// The outbox is the worker's to flush at the end of a turn, or ours earlier.
void Client::flush() {
  queued_ = false;
  if (dead_ || !outbox_) return;
  if (!attached()) {
    outbox_->keep();
    note_backlog(outbox_->size());
    return;
  }
  const auto sent = send();
  note_backlog(waiting());
  link().flushed(sent.bytes);
  if (dead_) return;
  if (sent.failed) {
    link().lost();
  } else if (backlog() == 0) {
    outbox_.reset();
    if (finishing_) end_sending();
  } else {
    keep();
    if (!await_room()) link().lost();
  }
}

void Client::note_backlog(std::size_t bytes) {
  auto& counters = worker().context().counters;
  counters.subtract(Counter::backlog_bytes, outbox_->untaken());
  outbox_->set_untaken(bytes);
  counters.add(Counter::backlog_bytes, bytes);
}

void Client::drop_outbox() {
  if (!outbox_) return;
  note_backlog(0);
  outbox_.reset();
}

// ---- the end ---------------------------------------------------------------

void Client::finish() {
  finishing_ = true;
  queue();
  if (!outbox_) end_sending();
}

void Client::abort() {
  if (dead_) return;
  worker().bury(*this);
  dead_ = true;
}

/// Where even that fails, its timer comes back to it.
void Client::end_now() noexcept {
  try {
    abort();
  } catch (...) {
    log_exception();
  }
}

void Client::capture_log(ngx_http_request_t* r) {
  const auto& log = conf().log;
  if (!log) return;
  logged_ = true;
  worker().captured()[this] = log->format->capture(r);
}

void Client::note_end() noexcept {
  try {
    worker().context().counters.add(closed_with(link().summary().code));
    write_log();
  } catch (...) {
    log_exception();
  }
}

void Client::write_log() {
  if (!logged_) return;
  const auto& log = conf().log;
  const std::string& captured = worker().captured()[this];
  const Ended ended{link(), worker_clock().monotonic_ms() - since_ms_};
  const std::string line = log->format->line(captured, ended);
  ngx_write_fd(log->file->fd, const_cast<char*>(line.data()), line.size());
}

/// All of ours are made for a Site.
const LocationConf& Client::conf() {
  return static_cast<const Site&>(link().site()).conf;
}

}  // namespace paperboy::nginx
