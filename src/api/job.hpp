// A request of a back end's being done: command by command, or all at once,
// and answered when the last is. Kept alive by those that it waits for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/node.hpp"
#include "api/request.hpp"
#include "base/counters.hpp"
#include "hub/hub.hpp"
#include "hub/orders.hpp"
#include "hub/revoker.hpp"
#include "hub/tokens.hpp"

namespace paperboy::api {

/// What a job works on. All must outlive it.
struct Services {
  hub::Hub& hub;
  hub::Orders& orders;
  hub::Revoker& revoker;
  hub::Tokens* tokens;  // null: nobody takes opaque ones
  Node& node;
  Counters& counters;
};

/// What the location says.
struct Scope {
  std::string name_space;
  std::size_t max_channel_length = 0;  // bytes
  std::uint32_t max_history = 0;       // publications of one answer
  std::size_t max_answer = 0;          // bytes of data read, about
};

class Job : public std::enable_shared_from_this<Job> {
 public:
  /// Called once, during `run` or later, with the answer's body.
  using Reply = std::function<void(const std::string&)>;

  /// What `request` borrows from must live until the answer.
  Job(const Services& services, Scope scope, Request request, Reply reply);

  void run();

 private:
  struct Outcome {
    bool failed = false;
    std::string json;  // the result, or the error
  };
  struct Broadcasting;

  void begin(std::size_t index);
  void done(std::size_t index, std::string result);
  void fail(std::size_t index, ErrorCode code);

  // Each is one method's, of the call at `index`.
  void obey(std::size_t index, const Publish& command);
  void obey(std::size_t index, const Instruct& command);
  void obey(std::size_t index, const Revoke& command);
  void obey(std::size_t index, const CreateToken& command);
  void obey(std::size_t index, const EndToken& command);
  void obey(std::size_t index, const Presence& command);
  void obey(std::size_t index, const History& command);
  void obey(std::size_t index, const RemoveHistory& command);
  void obey(std::size_t index, const Channels& command);
  void obey(std::size_t index, const Info& command);
  void obey(std::size_t index, const Refused& command);

  void publish(const Publish& command, const std::string& channel,
               const std::function<void(std::string, bool failed)>& reply);
  void broadcast(std::size_t index, const Publish& command);

  [[nodiscard]] Result<std::string> key(Bytes name) const;
  [[nodiscard]] std::size_t room() const;
  [[nodiscard]] std::string answer() const;

  Services services_;
  Scope scope_;
  Request request_;
  Reply reply_;
  std::vector<Outcome> outcomes_;
  std::size_t next_ = 0;     // to be begun
  std::size_t waiting_ = 0;  // begun, and not done
  std::size_t read_ = 0;     // bytes of results
  bool running_ = false;
};

}  // namespace paperboy::api
