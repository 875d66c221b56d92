// A lock in memory that processes share. One that is killed while it holds it
// leaves it to the next, with whatever it left half done: the kernel sees to
// that, also where no parent is there who could.
//
// It lives in the memory, which must stay mapped for as long as somebody holds
// it, and is never destroyed.
#pragma once

#include <pthread.h>

namespace paperboy {

/// For std::lock_guard.
class RobustMutex {
 public:
  RobustMutex();
  RobustMutex(const RobustMutex&) = delete;
  RobustMutex& operator=(const RobustMutex&) = delete;

  void lock();
  void unlock();

 private:
  pthread_mutex_t mutex_{};
};

}  // namespace paperboy
