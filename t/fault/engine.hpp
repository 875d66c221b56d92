// Publishers and subscribers, spread over the nodes, and the checker.
// t/fault/run starts it and tells it, by lines on its standard input, what to
// do; it answers with lines of JSON.
//
//   rate N           publishes per second; "full": as many as are answered
//   publish N        so many at once; answers when all of them are answered
//   stream N         so many by the topics of classic back ends, at once
//   excuse SECONDS   what they published in the last so many may be lost
//   leave N          N classic clients that a back end lets in leave at once
//   doubt topics     from now on what classic back ends publish may be lost;
//                    "all": and what is broadcast; "none": no more
//   stall SECONDS    the slow subscribers don't read for so long
//   storm N          N subscribers come back every 100 ms; 0: no more
//   away             all subscribers leave
//   return           all come back at once; answers when all are live
//   counts           answers what was counted so far
//   back             Redis is back: repairs count from here on
//   repaired         answers how many deliveries were late since, and when the
//                    last of them was; a hole that was told is one, too
//   places           answers the newest acknowledged position of each channel
//   finish           ends publishing, waits for all to have all, answers what
//                    was counted, and exits: 1 where a promise was broken
#pragma once

#include <cstdio>
#include <functional>
#include <memory>

#include "options.hpp"
#include "publisher.hpp"
#include "token.hpp"
#include "topic.hpp"

namespace paperboy::fault {

class Engine final : public Reader {
 public:
  explicit Engine(const Options& options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// What the process is to exit with.
  int run();

  void on_ready() override;

 private:
  template <typename Make>
  void populate(const std::string& kind, std::size_t number, bool two,
                const Make& make);
  template <typename Kind>
  void populate(const std::string& kind, std::size_t number, bool two);
  void add_subscribers();
  void add_sources();
  void give_roles();

  void obey(const std::string& line);
  void publish_at_once(std::size_t number);
  void leave();
  void leave_classic(std::size_t number);
  void come_back();

  void turn();
  void publish_due(double seconds);
  bool publish_one();
  bool publish_by_topic();
  bool until(const std::function<bool()>& done, double seconds);
  [[nodiscard]] bool all_live() const;
  [[nodiscard]] bool all_free() const;

  int finish();
  void await_all();
  void publish_user_ends(std::vector<Place>& ends);
  std::vector<Place> publish_ends();
  void report() const;
  void report_repair() const;
  void report_places() const;

  Options options_;
  Signer signer_;
  std::FILE* log_;
  Loop loop_;
  Tally tally_;
  Ledger ledger_;
  std::mt19937_64 random_;
  Stage stage_;
  std::vector<std::unique_ptr<Source>> sources_;
  std::vector<TopicPublisher*> topics_;  ///< of them
  std::unique_ptr<Publisher> ender_;     ///< publishes the last of a channel
  std::vector<std::unique_ptr<Subscriber>> subscribers_;
  std::string input_;
  double rate_ = 0;  ///< below 0: full
  double due_ = 0;   ///< publications
  double turned_ = 0;
  std::size_t next_source_ = 0;
  std::size_t next_topic_ = 0;
  std::size_t stream_ = 0;  ///< by topics, still to be published
  bool finishing_ = false;
  bool orphaned_ = false;  ///< nobody tells it anything any more
};

}  // namespace paperboy::fault
