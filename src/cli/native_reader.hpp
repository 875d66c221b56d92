// What a native location says to `sub`: connects, subscribes to each channel on
// the one connection, answers pings, and prints publications as lines.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/listener.hpp"
#include "cli/native.hpp"
#include "cli/sub.hpp"

namespace paperboy::cli {

class NativeReader final : public MessageReader {
 public:
  /// `sub` must outlive this. `terminal`: prints nothing that one would obey.
  NativeReader(const Sub& sub, bool terminal);

  void begin(Output& out) override;
  Verdict on_message(Kind kind, Bytes data, Output& out) override;
  [[nodiscard]] std::optional<std::chrono::milliseconds> patience()
      const override;
  [[nodiscard]] Bytes explain(std::uint16_t code) const override;

 private:
  // A channel that was asked for, or that the server gave.
  struct Channel {
    Heard heard;
    std::uint32_t asked = 0;  // the id of the last `subscribe`; 0: none
  };

  Verdict obey(const native::Ping& ping, Output& out);
  Verdict obey(const native::Connected& connected, Output& out);
  Verdict obey(const native::Subscribed& subscribed, Output& out);
  Verdict obey(const native::Failed& failed, Output& out);
  Verdict obey(const native::Publication& publication, Output& out);
  Verdict obey(const native::Dropped& dropped, Output& out);
  Verdict obey(const native::Other& other, Output& out);

  Channel* find(Bytes name);
  void subscribe(Channel& channel, Output& out);
  void print(const native::Publication& publication, Bytes epoch,
             Output& out) const;
  [[nodiscard]] Bytes token() const;

  const Sub& sub_;
  bool terminal_;
  std::int64_t left_;  // publications; negative: no end
  std::uint32_t last_id_ = 0;
  std::optional<std::chrono::milliseconds> patience_;
  std::vector<Channel> channels_;
};

}  // namespace paperboy::cli
