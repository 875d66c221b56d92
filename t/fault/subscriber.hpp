// A client that listens, and comes back with its position whenever its
// connection ends, until the run is over. One class a dialect.
#pragma once

#include <random>
#include <vector>

#include "loop.hpp"
#include "witness.hpp"

namespace paperboy::fault {

/// Faults of the engine's own, to see that the checker sees them: the share of
/// messages that are not handed over, are handed over twice, or after the next.
struct Garble {
  double drop = 0;
  double repeat = 0;
  double swap = 0;
};

class Signer;

/// What clients of the classic protocol and of notiflux need besides.
struct Doors {
  const Signer* signer = nullptr;
  std::uint32_t users = 0;       ///< of the classic protocol
  double edge = 1;               ///< the share that no back end lets in
  double look = 5;               ///< classic clients look so often, s
  double patience = 12;          ///< until it is let in or closed, s
  bool returns = false;          ///< what is missed meanwhile is sent after
  std::uint16_t redis = 0;       ///< that of classic back ends; 0: none
  std::size_t broadcasters = 0;  ///< one publisher of so many; 0: none
};

/// What all of a run share. All must outlive it.
struct Stage {
  Loop& loop;
  Ledger& ledger;
  Tally& tally;
  std::mt19937_64& random;
  std::vector<std::uint16_t> ports;
  Garble garble;
  bool doubt = false;   ///< a 503 may have been published
  double answer = 1.5;  ///< how long publishers wait, s
  Doors doors{};

  /// That of any node: who comes back may come to another.
  [[nodiscard]] std::uint16_t port() const {
    return ports[ports.size() == 1 ? 0 : random() % ports.size()];
  }
};

[[nodiscard]] std::string channel_name(std::uint32_t channel);

class Subscriber : public Reader {
 public:
  /// `channels`: numbers; none where it is told no positions. `kind` is what
  /// its deliveries are counted as.
  Subscriber(Stage& stage, const std::string& kind, std::string name,
             const std::vector<std::uint32_t>& channels);
  virtual ~Subscriber() = default;
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;

  void on_ready() final;
  /// From time to time: it connects, gives up, or does what it is told below.
  void tick(double now);

  /// Ends its connection, and comes back after so many seconds.
  void cut(double seconds);
  /// Ends it each time that it has been live for so long, at random between
  /// these, and stays away for up to half of their difference; 0: never.
  void cut_every(double least, double most);
  /// Doesn't read for so long, then goes on. Its kernel takes little for it.
  void stall(double seconds);
  /// Reads with a small buffer of the kernel's from the next connection on.
  void read_little() { receive_buffer_ = 4096; }

  [[nodiscard]] bool is_live() const { return state_ == State::live; }
  [[nodiscard]] bool was_live() const { return was_live_; }
  /// `ends`: the last positions of the channels, and of the users' ones.
  [[nodiscard]] virtual bool is_at(const std::vector<Place>& ends);
  virtual void ends(const std::vector<Place>& ends);
  /// Whether something has come in each channel, where only that tells that
  /// it listens.
  [[nodiscard]] virtual bool has_heard() const { return true; }

 protected:
  /// Writes its request to the new connection.
  virtual void greet() = 0;
  /// Its WebSocket has been opened.
  virtual void welcome() {}
  /// Takes what is whole off the front. False: the connection is over.
  virtual bool take(Bytes& bytes) = 0;
  /// How long it stays away when its connection has ended, s.
  [[nodiscard]] virtual double pause();
  /// For how long it waits to be live, s.
  [[nodiscard]] virtual double patience();
  [[nodiscard]] virtual bool may_leave() { return true; }
  /// It leaves of itself, and comes back after so many seconds.
  virtual void leave(double seconds) { cut(seconds); }
  /// Its connection is gone.
  virtual void over() {}
  /// A message that is none of the engine's own faults any more.
  virtual void receive(const Stamp& stamp, const Place& place);

  /// It gets publications from here on.
  void live();
  void deliver(Bytes message, const Place& place);
  void ended(const std::string& cause);
  /// On a connection that stood.
  void note_gap();
  /// Of a close frame: counts its code, and returns it.
  unsigned count_close(Bytes payload);
  [[nodiscard]] std::string upgrade_request(const std::string& path) const;
  /// True once the 101 is there; else `take` returns `more`.
  bool upgraded(Bytes& bytes, bool& more);

  [[nodiscard]] std::vector<Witness>& witnesses() { return witnesses_; }
  /// Null where it doesn't listen there.
  [[nodiscard]] Witness* witness(std::uint32_t channel);
  [[nodiscard]] Stage& stage() { return stage_; }
  [[nodiscard]] Socket& socket() { return socket_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] bool happens(double share);
  [[nodiscard]] double between(double least, double most);

 private:
  enum class State : std::uint8_t { away, coming, live };

  void connect(double now);
  void hand_over(const Stamp& stamp, const Place& place);
  void note_late(const Stamp& stamp);

  Stage& stage_;
  std::uint64_t& deliveries_;  ///< of its kind
  std::string name_;
  Socket socket_;
  std::vector<Witness> witnesses_;
  State state_ = State::away;
  bool was_live_ = false;
  bool upgraded_ = false;
  int receive_buffer_ = 0;
  double until_ = 0;      ///< when it comes back, or gives up coming
  double connected_ = 0;  ///< when it last came
  double cut_at_ = 0;     ///< 0: not
  double cut_least_ = 0;
  double cut_most_ = 0;
  double stalled_until_ = 0;                   ///< 0: it reads
  std::vector<std::pair<Stamp, Place>> held_;  ///< to be swapped with the next
};

}  // namespace paperboy::fault
