#include "broker/shm_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>
#include <optional>
#include <utility>

#include "broker/shm_zone.hpp"

namespace paperboy::broker::shm {

namespace {

constexpr std::size_t kPage = 4096;
constexpr std::uint64_t kFileMagic = 0x656c69666270;  // "pbfile"
constexpr std::uint32_t kFileVersion = 1;

constexpr Bytes kOtherLayout = "it was made with other seats or sizes";

using BootId = std::array<char, 40>;

struct FileHeader {
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t clean;    // 1: nobody uses it, and all was written out
  std::uint64_t size;     // of the file
  BootId boot;            // in which it is used, or was
  std::uint64_t zone_ms;  // the zone's time when it became clean
  std::atomic<std::uint32_t> users;  // masters
};
static_assert(sizeof(FileHeader) <= kPage);

/// Nobody is there to be woken before the workers are.
class Nobody final : public Waker {
 public:
  void wake(SeatIndex) override {}
};
Nobody nobody;

/// Empty where the kernel doesn't say: then only a clean file is trusted.
BootId boot_id() {
  BootId id{};
  const Descriptor file(
      ::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
  if (file.get() == -1 || ::read(file.get(), id.data(), id.size() - 1) < 36) {
    return {};
  }
  return id;
}

Error failed(Bytes what) { return {ErrorCode::bad_request, what}; }

Error failed(Bytes what, int reason) {
  errno = reason;
  return failed(what);
}

bool same_file(int a, const struct stat& there) {
  struct stat here {};
  return ::fstat(a, &here) == 0 && here.st_dev == there.st_dev &&
         here.st_ino == there.st_ino;
}

bool still_at(const Descriptor& file, const std::string& path) {
  struct stat there {};
  return ::stat(path.c_str(), &there) == 0 && same_file(file.get(), there);
}

bool lock(const Descriptor& file) {
  return ::flock(file.get(), LOCK_EX | LOCK_NB) == 0;
}

/// For a look that changes nothing in the file.
class PrivateCopy {
 public:
  PrivateCopy(int fd, std::size_t size)
      : size_(size),
        base_(::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_NORESERVE, fd, 0)) {}
  PrivateCopy(const PrivateCopy&) = delete;
  PrivateCopy& operator=(const PrivateCopy&) = delete;
  ~PrivateCopy() {
    if (good()) ::munmap(base_, size_);
  }

  [[nodiscard]] bool good() const { return base_ != MAP_FAILED; }
  [[nodiscard]] FileHeader& header() const {
    return *static_cast<FileHeader*>(base_);
  }
  [[nodiscard]] std::span<std::byte> zone() const {
    return {static_cast<std::byte*>(base_) + kPage, size_ - kPage};
  }

 private:
  std::size_t size_;
  void* base_;
};

/// Why this file isn't taken up; empty: it is.
Bytes refusal(const FileHeader& header, std::size_t size) {
  if (header.magic != kFileMagic) return "it is no zone of Paperboy's";
  if (header.version != kFileVersion) {
    return "it was made by another version of Paperboy";
  }
  if (header.size != size) return "it has another size";
  return {};
}

bool of_this_boot(const FileHeader& header) {
  const BootId now = boot_id();
  return header.boot == now && now != BootId{};
}

/// For Zone::reopen(): where it is of another boot, it is clean.
std::optional<std::uint64_t> left_at(const FileHeader& header) {
  if (of_this_boot(header)) return {};
  return header.zone_ms;
}

/// Why a zone that others use can't be shared; empty: it can.
Bytes misfit(std::span<std::byte> memory, const Options& options,
             const Clock& clock) {
  const auto zone = Zone::attach(memory, clock, nobody);
  if (!zone) return zone.error().message;
  return zone->has_layout_of(options) ? Bytes() : kOtherLayout;
}

/// Why a file that nobody uses can't be taken up; empty: it can.
Bytes damage(const PrivateCopy& copy, const Options& options,
             const Clock& clock) {
  if (copy.header().clean == 0 && !of_this_boot(copy.header())) {
    return "the machine went down while it was in use";
  }
  const auto zone =
      Zone::reopen(copy.zone(), options, clock, nobody, left_at(copy.header()));
  return zone ? Bytes() : zone.error().message;
}

}  // namespace

// ---- descriptors ------------------------------------------------------------

Descriptor::Descriptor(Descriptor&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Descriptor::~Descriptor() {
  if (fd_ != -1) ::close(fd_);
}

// ---- opening ----------------------------------------------------------------

std::size_t ZoneFile::minimum_size(const Options& options) {
  // Of what isn't whole pages, less is used than was given.
  return (Zone::minimum_size(options) + kPage - 1) / kPage * kPage + kPage;
}

Result<Done> ZoneFile::probe(const std::string& path) {
  errno = 0;
  const Descriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  struct stat about {};
  if (file.get() != -1) {
    if (::fstat(file.get(), &about) == 0 && S_ISREG(about.st_mode)) {
      return Done{};
    }
    return failed("is no regular file", 0);
  }
  if (errno != ENOENT) return failed("can't be opened");
  const std::size_t slash = path.rfind('/');
  const std::string folder =
      slash == std::string::npos ? "." : path.substr(0, slash + 1);
  if (::access(folder.c_str(), W_OK | X_OK) == 0) return Done{};
  return failed("can't be created");
}

Result<ZoneFile> ZoneFile::open(const Plan& plan, const Clock& clock) {
  ZoneFile self;
  self.path_ = plan.path;
  self.size_ = plan.size / kPage * kPage;
  self.options_ = plan.options;
  errno = 0;
  if (self.size_ < minimum_size(plan.options)) {
    return failed("is too small for its seats, its log and its history", 0);
  }
  // Another may be putting a new one in its place just now.
  do {
    self.fd_ = Descriptor(
        ::open(plan.path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (self.fd_.get() == -1) return failed("can't be opened");
    struct stat about {};
    if (::fstat(self.fd_.get(), &about) != 0 || !S_ISREG(about.st_mode)) {
      return failed("is no regular file", 0);
    }
    if (plan.kin != -1 && same_file(plan.kin, about)) {
      self.join(plan.kin);
      if (self.fd_.get() == -1) return failed("can't be shared");
      break;
    }
    if (!lock(self.fd_)) {
      errno = 0;
      return Error{ErrorCode::unavailable, "is used by another nginx"};
    }
  } while (!still_at(self.fd_, plan.path));
  const auto kept = self.keep(clock);
  if (!kept) return kept.error();
  if (!*kept) {
    const auto made = self.make(clock);
    if (!made) return made.error();
  }
  return self;
}

/// Its lock comes with the descriptor.
void ZoneFile::join(int kin) {
  fd_ = Descriptor(::fcntl(kin, F_DUPFD_CLOEXEC, 0));
  state_ = State::joined;
}

/// Whether what is there can be used; if not, `reason_` says why.
Result<bool> ZoneFile::keep(const Clock& clock) {
  struct stat about {};
  if (::fstat(fd_.get(), &about) != 0) return failed("can't be read");
  if (about.st_size == 0) return false;
  if (about.st_size != static_cast<off_t>(size_)) {
    reason_ = "it has another size";
    return false;
  }
  const PrivateCopy copy(fd_.get(), size_);
  if (!copy.good()) return failed("can't be mapped");
  reason_ = refusal(copy.header(), size_);
  if (reason_.empty())
    reason_ = state_ == State::joined ? misfit(copy.zone(), options_, clock)
                                      : damage(copy, options_, clock);
  if (!reason_.empty()) return false;
  if (state_ != State::joined) {
    state_ = State::kept;
    // A copy may have holes, which a full disk couldn't fill any more.
    const int no_room = reserve();
    if (no_room != 0) return failed("can't be given its size", no_room);
  }
  if (!map()) return failed("can't be mapped");
  return true;
}

/// Beside the one that is refused, whose lock is kept: so no other nginx does
/// the same meanwhile.
Result<Done> ZoneFile::make(const Clock& clock) {
  replaced_ = std::move(fd_);
  state_ = State::made;
  const std::string name = path_ + ".new";
  // What a killed one left, or somebody put there.
  ::unlink(name.c_str());
  fd_ = Descriptor(
      ::open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (fd_.get() == -1) return failed("can't be renewed");
  pending_ = true;
  if (!lock(fd_)) return failed("can't be locked");
  const int no_room = reserve();
  if (no_room != 0) return failed("can't be given its size", no_room);
  if (!map()) return failed("can't be mapped");
  errno = 0;
  const auto zone = Zone::format(memory(), options_, clock, nobody);
  if (!zone) return zone.error();
  return Done{};
}

/// All of its blocks, or why not: to write where there is none would be the
/// end of a worker.
int ZoneFile::reserve() const {
  return ::posix_fallocate(fd_.get(), 0, static_cast<off_t>(size_));
}

bool ZoneFile::map() {
  void* const base =
      ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0);
  if (base == MAP_FAILED) return false;
  base_ = static_cast<std::byte*>(base);
  return true;
}

void ZoneFile::unmap() {
  if (base_ != nullptr) ::munmap(base_, size_);
  if (pending_) ::unlink((path_ + ".new").c_str());
  base_ = nullptr;
  pending_ = false;
}

// ---- using ------------------------------------------------------------------

Result<Done> ZoneFile::commit(const Clock& clock) {
  auto& header = *reinterpret_cast<FileHeader*>(base_);
  errno = 0;
  if (state_ == State::joined) {
    header.users.fetch_add(1);
    return Done{};
  }
  const auto then = left_at(header);
  if (state_ == State::made) {
    header.magic = kFileMagic;
    header.version = kFileVersion;
    header.size = size_;
  }
  header.clean = 0;
  header.boot = boot_id();
  header.users = 1;
  // Before anything else in it can reach the disk.
  ::msync(base_, kPage, MS_SYNC);
  if (state_ == State::kept) {
    const auto zone = Zone::reopen(memory(), options_, clock, nobody, then);
    if (!zone) return zone.error();
    return Done{};
  }
  if (::rename((path_ + ".new").c_str(), path_.c_str()) != 0) {
    return failed("can't be renewed");
  }
  pending_ = false;
  replaced_ = Descriptor();
  return Done{};
}

void ZoneFile::leave(const Clock& clock) {
  auto& header = *reinterpret_cast<FileHeader*>(base_);
  if (header.users.load() == 0 || header.users.fetch_sub(1) != 1) return;
  const auto zone = Zone::attach(memory(), clock, nobody);
  if (!zone || ::msync(base_, size_, MS_SYNC) != 0) return;
  header.zone_ms = zone->time_ms();
  header.clean = 1;
  ::msync(base_, kPage, MS_SYNC);
}

std::span<std::byte> ZoneFile::memory() const {
  return {base_ + kPage, size_ - kPage};
}

ZoneFile::ZoneFile(ZoneFile&& other) noexcept { *this = std::move(other); }

ZoneFile& ZoneFile::operator=(ZoneFile&& other) noexcept {
  if (this == &other) return *this;
  unmap();
  path_ = std::move(other.path_);
  size_ = other.size_;
  state_ = other.state_;
  reason_ = other.reason_;
  options_ = other.options_;
  fd_ = std::move(other.fd_);
  replaced_ = std::move(other.replaced_);
  base_ = std::exchange(other.base_, nullptr);
  pending_ = std::exchange(other.pending_, false);
  return *this;
}

ZoneFile::~ZoneFile() { unmap(); }

}  // namespace paperboy::broker::shm
