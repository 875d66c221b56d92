// A zone in a file, which outlives the processes that use it: what one nginx
// left the next one takes up, and the two masters of a binary upgrade share.
//
//   file := (FileHeader, to 4096 bytes) zone
//
// Whose it is: a master opens it, locks it (flock) and passes the descriptor
// on to its workers and to a new binary, so that the kernel keeps the lock for
// as long as one of these kin lives. Who can lock it knows that nobody uses
// it: then locks and seats in it mean nothing and are made anew.
//
// Whether it is whole: a process that dies tears nothing, since what it wrote
// is the kernel's, and the zone's journal undoes what was half done. A machine
// that goes down does. So the header says in which boot the file is used, and
// is marked clean, after all else was written out, when the last master
// leaves. A file of another boot that isn't clean is refused, and so is one of
// another version or size, or in which a walk finds anything amiss.
//
// A file that is refused is never overwritten: a new one is made beside it,
// and takes its place by commit(). Until then nothing is changed, so that a
// configuration that fails after all leaves all as it was.
//
// Of a master, on its main thread; workers only use the memory. Knows no
// nginx. The memory stays mapped for as long as this lives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "broker/shm_types.hpp"

namespace paperboy::broker::shm {

/// A file descriptor that is closed with this; -1: none.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();

  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

class ZoneFile {
 public:
  enum class State : std::uint8_t {
    made,    // anew, to take the place of what `reason` tells
    kept,    // of processes that are gone
    joined,  // of kin who use it
  };

  struct Plan {
    std::string path;
    std::size_t size = 0;  // of the file
    Options options;
    int kin = -1;  // the descriptor of a file that kin use
  };

  /// The least size for `options`.
  [[nodiscard]] static std::size_t minimum_size(const Options& options);

  /// Changes nothing at `path`, but may create it, empty. An error leaves the
  /// system's reason in errno, or 0. Error: unavailable (others use it),
  /// bad_request (no such file can be had).
  static Result<ZoneFile> open(const Plan& plan, const Clock& clock);

  /// What `open` would find for certain, where nothing may be created.
  static Result<Done> probe(const std::string& path);

  ZoneFile(ZoneFile&& other) noexcept;
  ZoneFile& operator=(ZoneFile&& other) noexcept;
  ~ZoneFile();

  [[nodiscard]] State state() const { return state_; }

  /// Why what was there is not used; empty: nothing was.
  [[nodiscard]] Bytes reason() const { return reason_; }

  /// From here on the file is this process's and its kin's. Once.
  Result<Done> commit(const Clock& clock);

  /// In the end, by the master, when its workers have gone. What the last one
  /// leaves is written out and marked clean.
  void leave(const Clock& clock);

  [[nodiscard]] std::span<std::byte> memory() const;
  [[nodiscard]] const std::string& path() const { return path_; }

  /// Locked; for kin to inherit.
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  ZoneFile() = default;
  void join(int kin);
  Result<bool> keep(const Clock& clock);
  Result<Done> make(const Clock& clock);
  [[nodiscard]] int reserve() const;
  bool map();
  void unmap();

  std::string path_;
  std::size_t size_ = 0;
  State state_ = State::made;
  Bytes reason_;
  Options options_;
  Descriptor fd_;
  Descriptor replaced_;  // what is at `path_` until commit, locked
  std::byte* base_ = nullptr;
  bool pending_ = false;  // a new file waits beside the old one
};

}  // namespace paperboy::broker::shm
