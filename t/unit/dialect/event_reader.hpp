// What an EventSource makes of a stream: the HTML standard, "Interpreting an
// event stream", in the words of its steps.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"

namespace paperboy::dialect {

class EventReader {
 public:
  /// "name|id|data" with a newline after each event that a page would see.
  std::string take() { return std::exchange(seen_, {}); }

  /// What it would send as Last-Event-ID.
  [[nodiscard]] const std::string& last_id() const { return last_id_; }
  [[nodiscard]] const std::string& retry() const { return retry_; }

  void feed(Bytes bytes) {
    for (const char c : bytes) {
      if (c == '\n' && after_cr_) {
        after_cr_ = false;
        continue;
      }
      after_cr_ = c == '\r';
      if (c == '\n' || c == '\r') {
        end_line();
      } else {
        line_ += c;
      }
    }
  }

 private:
  void end_line() {
    const std::string line = std::exchange(line_, {});
    if (line.empty()) return dispatch();
    if (line.front() == ':') return;
    const auto colon = line.find(':');
    const std::string field = line.substr(0, colon);
    std::string value = colon == Bytes::npos ? "" : line.substr(colon + 1);
    if (value.starts_with(' ')) value.erase(0, 1);
    if (field == "data") data_ += value + "\n";
    if (field == "event") name_ = value;
    if (field == "id" && value.find('\0') == Bytes::npos) id_ = value;
    if (field == "retry" &&
        value.find_first_not_of("0123456789") == Bytes::npos) {
      retry_ = value;
    }
  }

  void dispatch() {
    last_id_ = id_;
    const std::string name = std::exchange(name_, {});
    std::string data = std::exchange(data_, {});
    if (data.empty()) return;
    data.pop_back();
    seen_ +=
        (name.empty() ? "message" : name) + "|" + last_id_ + "|" + data + "\n";
  }

  std::string line_;
  std::string data_;
  std::string name_;
  std::string id_;
  std::string last_id_;
  std::string retry_;
  std::string seen_;
  bool after_cr_ = false;
};

}  // namespace paperboy::dialect
