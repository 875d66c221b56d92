// The port to the application behind the classic protocol: what it is asked.
// What it says comes as notices (notice.hpp). One a worker, on its event loop;
// outlives the sessions.
#pragma once

#include "base/bytes.hpp"

namespace paperboy::hub {

class BackEnd {
 public:
  BackEnd() = default;
  BackEnd(const BackEnd&) = delete;
  BackEnd& operator=(const BackEnd&) = delete;
  virtual ~BackEnd() = default;

  /// Asks it to authorise a client by its token, which is UTF-8. Who isn't
  /// authorised gets no answer, and what can't be sent is dropped; the log
  /// says so.
  virtual void ask(Bytes client, Bytes token) = 0;

  /// The namespace of the channels that it speaks of.
  [[nodiscard]] virtual Bytes name_space() const = 0;
};

}  // namespace paperboy::hub
