// What Redis keeps of channels, as typed calls: the scripts' arguments and
// answers, and nothing else. One a worker; must outlive its calls' answers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/history.hpp"
#include "base/publication.hpp"
#include "base/result.hpp"
#include "broker/redis_engine.hpp"
#include "broker/redis_evidence.hpp"
#include "broker/redis_keys.hpp"
#include "broker/redis_losses.hpp"
#include "broker/redis_network.hpp"
#include "broker/redis_options.hpp"
#include "broker/shm_types.hpp"

namespace paperboy::broker::redis {

struct Placed {
  Position position;
  bool repeated = false;
};

/// A channel and where it stands.
struct Standing {
  std::string channel;
  Position position;
  std::uint64_t removed = 0;  // up to this offset nothing is kept any more
};

struct Window {
  Position top;
  std::vector<shm::Recent> entries;  // as asked for
};

struct WindowQuery {
  std::uint64_t epoch = 0;  // 0: the present one; another: nothing
  std::optional<std::uint64_t> offset{};  // after it; backwards, before it
  std::uint32_t limit = HistoryQuery::kAll;
  std::uint64_t bytes = 1024UL * 1024;  // but one entry in any case
  bool reverse = false;
  Retention kept{};  // of `count` 0: all that is there
};

/// What a check answers of one bucket.
struct Change {
  enum class Kind : std::uint8_t { none, some, more, all };

  Bucket bucket = 0;
  Kind kind = Kind::none;
  std::string generation;
  std::uint64_t sequence = 0;
  std::vector<Standing> channels{};
};

/// What is known of a bucket, to be asked what has changed since.
struct Known {
  Bucket bucket = 0;
  std::string generation;  // empty: nothing is known
  std::uint64_t sequence = 0;
};

class Store {
 public:
  template <typename T>
  using Handler = std::function<void(const Result<T>&)>;

  /// All must outlive this.
  Store(Engine& engine, Network& network, const Options& options,
        Evidence& evidence)
      : engine_(engine),
        network_(network),
        options_(options),
        evidence_(evidence),
        losses_(network),
        keys_(options.prefix, options.database) {}

  // All answer once, later. Errors: unavailable (and nobody knows whether it
  // was done), internal (an answer that makes no sense; it is logged).

  /// `here`: where the caller has the channel; see `positions`. Also
  /// not_replicated: published, but fewer replicas have it than asked.
  void publish(const Draft& draft, const Position& here,
               const Handler<Placed>& handler);

  /// What has no offset of its own.
  void signal(const Draft& draft, const Handler<Position>& handler);

  /// All of one bucket. `here`: channels, and where the caller has them (epoch
  /// 0: nowhere). Where Redis has less it has lost what came after, and what
  /// it has of the bucket begins anew.
  void positions(Bucket bucket, const std::vector<Standing>& here,
                 const Handler<std::vector<Standing>>& handler);

  void window(Bytes channel, const WindowQuery& query,
              const Handler<Window>& handler);

  void remove(Bytes channel, const Handler<Position>& handler);

  /// `known`: of one shard; in a cluster, one. `probe`: a message to `topic`.
  void check(std::span<const Known> known, Bytes topic, Bytes probe,
             const Handler<std::vector<Change>>& handler);

  /// Bytes that one may ask for at a time, as they are counted here.
  [[nodiscard]] std::size_t largest_read() const {
    return options_.max_reply / 2;
  }
  [[nodiscard]] const Keys& keys() const { return keys_; }

  using Words = std::vector<std::string>;

  /// What a script is told first that begins with a bucket.
  [[nodiscard]] Words arguments(Bucket bucket);

  /// The generation in what a script answered as such; what was found to be
  /// lost is logged.
  [[nodiscard]] Bytes heed(Bucket bucket, Bytes answered);

 private:
  void append_seen(Words& words, Bucket bucket) const;
  Error refused(const Reply& reply);
  Error nonsense(Bytes what);
  void complain(Bytes what, Bytes text);
  void saw(Bucket bucket, Bytes generation, Bytes id, std::uint64_t sequence);
  std::optional<Position> note(Bucket bucket, Bytes id, const Reply& reply);
  Result<Window> read_window(Bytes channel, Bytes id, const Reply& reply);
  Result<Change> read_change(const Known& known, Bytes id, const Reply& reply);

  Engine& engine_;
  Network& network_;
  const Options& options_;
  Evidence& evidence_;
  Losses losses_;
  Keys keys_;
  std::uint64_t quiet_until_ = 0;  // for complaints, monotonic ms
};

}  // namespace paperboy::broker::redis
