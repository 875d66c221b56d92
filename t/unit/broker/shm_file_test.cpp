// A zone in a file: kept over its users, shared with kin, refused to others,
// renewed where it can't be trusted; and nothing changed before commit().
#include "broker/shm_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <optional>

#include "broker/shm_layout.hpp"
#include "shm_support.hpp"

namespace paperboy::broker::shm {
namespace {

// Where the file's own header has what; its format is not to change.
constexpr std::size_t kVersionAt = 8;
constexpr std::size_t kCleanAt = 12;
constexpr std::size_t kBootAt = 32;
constexpr std::size_t kZoneAt = 4096;

class Folder {
 public:
  Folder() {
    char name[] = "/tmp/paperboy-file-XXXXXX";
    path_ = mkdtemp(name);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    ::unlink(file().c_str());
    ::unlink((file() + ".new").c_str());
    ::rmdir(path_.c_str());
  }
  [[nodiscard]] std::string file() const { return path_ + "/zone"; }

 private:
  std::string path_;
};

struct Scene {
  ZoneFile::Plan plan(int kin = -1) const {
    return {folder.file(), size, options, kin};
  }
  [[nodiscard]] Result<ZoneFile> open(int kin = -1) const {
    return ZoneFile::open(plan(kin), clock);
  }
  /// Opened and committed, as `state`.
  ZoneFile use(ZoneFile::State state, int kin = -1) const {
    auto file = open(kin);
    if (!file)
      fail_msg("%.*s", int(file.error().message.size()),
               file.error().message.data());
    if (file->state() != state) {
      fail_msg("state %d: %.*s", int(file->state()), int(file->reason().size()),
               file->reason().data());
    }
    assert_true(file->commit(clock).ok());
    return std::move(file).value();
  }
  Zone attach(const ZoneFile& file) {
    return Zone::attach(file.memory(), clock, waker).value();
  }
  Position publish(const ZoneFile& file) {
    return attach(file).publish({.channel = "news", .data = "hi"})->position;
  }
  /// What is at the path now, as bytes.
  [[nodiscard]] std::string content() const {
    std::ifstream in(folder.file(), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write(std::size_t at, Bytes bytes) const {
    std::fstream out(folder.file(),
                     std::ios::binary | std::ios::in | std::ios::out);
    out.seekp(static_cast<std::streamoff>(at));
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  /// A file that the last user left, in order or not.
  Position leave(bool orderly = true) {
    ZoneFile file = use(ZoneFile::State::made);
    const Position position = publish(file);
    if (orderly) file.leave(clock);
    return position;
  }
  void expect_renewed(Bytes reason) {
    const std::string before = content();
    auto file = open();
    assert_true(file.ok());
    assert_true(file->state() == ZoneFile::State::made);
    if (file->reason() != reason) {
      fail_msg("%.*s", int(file->reason().size()), file->reason().data());
    }
    assert_true(content() == before);
    assert_true(file->commit(clock).ok());
    assert_int_equal(publish(*file).offset, 1);
  }

  Folder folder;
  Options options = small_options();
  std::size_t size = ZoneFile::minimum_size(options);
  ManualClock clock;
  CountingWaker waker;
};

void it_survives_its_users(void**) {
  for (const bool orderly : {true, false}) {
    Scene it;
    const Position before = it.leave(orderly);
    const ZoneFile file = it.use(ZoneFile::State::kept);
    const Position after = it.publish(file);
    assert_true(after.epoch == before.epoch);
    assert_int_equal(after.offset, before.offset + 1);
  }
}

void only_its_owner_may_read_it(void**) {
  Scene it;
  it.leave();
  struct stat about {};
  assert_int_equal(::stat(it.folder.file().c_str(), &about), 0);
  assert_int_equal(about.st_mode & 07777, 0600);
  assert_int_equal(about.st_size, it.size);
  assert_int_equal(::access((it.folder.file() + ".new").c_str(), F_OK), -1);
}

void a_copy_with_holes_gets_its_blocks(void**) {
  Scene it;
  it.leave();
  const std::string whole = it.content();
  ::unlink(it.folder.file().c_str());
  std::ofstream(it.folder.file())
      << whole.substr(0, whole.find_last_not_of('\0') + 1);
  assert_int_equal(::truncate(it.folder.file().c_str(), off_t(it.size)), 0);
  const auto allocated = [&it] {
    struct stat about {};
    ::stat(it.folder.file().c_str(), &about);
    return static_cast<std::size_t>(about.st_blocks) * 512;
  };
  assert_true(allocated() < it.size);
  const ZoneFile file = it.use(ZoneFile::State::kept);
  assert_true(allocated() >= it.size);
}

void what_lies_beside_it_is_not_followed(void**) {
  Scene it;
  const std::string other = it.folder.file() + ".other";
  std::ofstream(other) << "not ours";
  assert_int_equal(
      ::symlink(other.c_str(), (it.folder.file() + ".new").c_str()), 0);
  const ZoneFile file = it.use(ZoneFile::State::made);
  std::ifstream in(other);
  assert_string_equal(
      std::string(std::istreambuf_iterator<char>(in), {}).c_str(), "not ours");
  ::unlink(other.c_str());
  struct stat about {};
  assert_int_equal(::lstat(it.folder.file().c_str(), &about), 0);
  assert_true(S_ISREG(about.st_mode));
}

void nothing_changes_before_commit(void**) {
  Scene it;
  it.leave(false);
  const std::string before = it.content();
  {
    const auto file = it.open();
    assert_true(file->state() == ZoneFile::State::kept);
  }
  assert_true(it.content() == before);
  it.write(kVersionAt, "x");
  const std::string other = it.content();
  {
    const auto file = it.open();
    assert_true(file->state() == ZoneFile::State::made);
  }
  assert_true(it.content() == other);
  assert_int_equal(::access((it.folder.file() + ".new").c_str(), F_OK), -1);
}

void another_is_refused(void**) {
  Scene it;
  std::optional<ZoneFile> file(it.use(ZoneFile::State::made));
  const auto other = it.open();
  assert_false(other.ok());
  assert_true(other.error().message == "is used by another nginx");
  assert_true(other.error().code == ErrorCode::unavailable);
  file.reset();
  assert_true(it.open().ok());
}

/// The lock is that of all who inherited the descriptor.
void a_child_holds_it(void**) {
  Scene it;
  std::optional<ZoneFile> file(it.use(ZoneFile::State::made));
  const pid_t child = spawn([] { pause(); });
  file.reset();
  assert_false(it.open().ok());
  kill(child, SIGKILL);
  wait_for(child);
  assert_true(it.open()->state() == ZoneFile::State::kept);
}

void kin_share_it(void**) {
  Scene it;
  ZoneFile old = it.use(ZoneFile::State::made);
  const Position first = it.publish(old);
  Zone zone = it.attach(old);
  const SeatIndex seat = zone.claim_seat().value();
  ZoneFile young = it.use(ZoneFile::State::joined, old.fd());
  const Position second = it.publish(young);
  assert_true(second.epoch == first.epoch);
  assert_int_equal(second.offset, first.offset + 1);
  assert_int_equal(it.attach(young).stats().seats_taken, 1);
  zone.release_seat(seat);
}

void kin_with_another_layout_get_their_own(void**) {
  Scene it;
  ZoneFile old = it.use(ZoneFile::State::made);
  it.publish(old);
  it.publish(old);
  it.options.seats = 4;
  auto young = it.open(old.fd());
  assert_true(young->state() == ZoneFile::State::made);
  assert_true(young->reason() == "it was made with other seats or sizes");
  assert_true(young->commit(it.clock).ok());
  assert_int_equal(it.publish(*young).offset, 1);
  assert_int_equal(it.publish(old).offset, 3);
  // What stands at the path now is the young one's.
  old.leave(it.clock);
  assert_true(it.open().error().code == ErrorCode::unavailable);
}

bool clean(const Scene& it) { return it.content()[kCleanAt] == 1; }

void it_is_clean_when_the_last_has_left(void**) {
  Scene it;
  ZoneFile old = it.use(ZoneFile::State::made);
  ZoneFile young = it.use(ZoneFile::State::joined, old.fd());
  assert_false(clean(it));
  old.leave(it.clock);
  assert_false(clean(it));
  young.leave(it.clock);
  assert_true(clean(it));
}

void it_is_not_clean_while_one_was_killed(void**) {
  Scene it;
  {
    ZoneFile old = it.use(ZoneFile::State::made);
    ZoneFile young = it.use(ZoneFile::State::joined, old.fd());
    young.leave(it.clock);
    assert_false(clean(it));
  }
  ZoneFile next = it.use(ZoneFile::State::kept);
  next.leave(it.clock);
  assert_true(clean(it));
}

void a_machine_that_went_down(void**) {
  Scene it;
  it.leave(false);
  it.write(kBootAt, "another boot");
  it.expect_renewed("the machine went down while it was in use");
  Scene other;
  const Position before = other.leave(true);
  other.write(kBootAt, "another boot");
  const ZoneFile file = other.use(ZoneFile::State::kept);
  assert_int_equal(other.publish(file).offset, before.offset + 1);
}

void what_is_refused_is_renewed(void**) {
  Scene magic;
  magic.leave();
  magic.write(0, "X");
  magic.expect_renewed("it is no zone of Paperboy's");

  Scene version;
  version.leave();
  version.write(kVersionAt, "X");
  version.expect_renewed("it was made by another version of Paperboy");

  Scene zone_version;
  zone_version.leave();
  zone_version.write(kZoneAt + offsetof(Header, version), "X");
  zone_version.expect_renewed(
      "the zone was made by another version of Paperboy");

  Scene cut;
  cut.leave();
  assert_int_equal(::truncate(cut.folder.file().c_str(), 10'000), 0);
  cut.expect_renewed("it has another size");

  Scene larger;
  larger.leave();
  larger.size += 4096;
  larger.expect_renewed("it has another size");

  Scene text;
  std::ofstream(text.folder.file()) << std::string(text.size, 'x');
  text.expect_renewed("it is no zone of Paperboy's");

  Scene flipped;
  flipped.leave();
  flipped.write(kZoneAt + offsetof(Header, directory.channels), "X");
  flipped.expect_renewed("channels: bad count");

  Scene empty;
  std::ofstream(empty.folder.file()) << "";
  empty.expect_renewed("");
}

/// A position of before means nothing in a new one: its epoch is another.
void a_renewed_one_has_other_epochs(void**) {
  Scene it;
  const Position before = it.leave(false);
  it.write(kBootAt, "another boot");
  it.options.seed[2] = 17;  // random in life
  const ZoneFile file = it.use(ZoneFile::State::made);
  assert_true(it.publish(file).epoch != before.epoch);
}

void what_is_no_place_for_it(void**) {
  Scene it;
  const auto try_at = [&](const std::string& path) {
    auto plan = it.plan();
    plan.path = path;
    return ZoneFile::open(plan, it.clock).ok();
  };
  assert_false(try_at("/tmp"));
  assert_false(try_at("/dev/null"));
  assert_false(try_at("/nowhere/zone"));
  assert_false(ZoneFile::probe("/tmp").ok());
  assert_false(ZoneFile::probe("/dev/null").ok());
  assert_false(ZoneFile::probe("/nowhere/zone").ok());
  assert_true(ZoneFile::probe(it.folder.file()).ok());
  assert_int_equal(::access(it.folder.file().c_str(), F_OK), -1);
  it.size -= 4096;
  assert_false(it.open().ok());
}

}  // namespace
}  // namespace paperboy::broker::shm

int main() {
  using namespace paperboy::broker::shm;
  const CMUnitTest tests[] = {
      cmocka_unit_test(it_survives_its_users),
      cmocka_unit_test(only_its_owner_may_read_it),
      cmocka_unit_test(a_copy_with_holes_gets_its_blocks),
      cmocka_unit_test(what_lies_beside_it_is_not_followed),
      cmocka_unit_test(nothing_changes_before_commit),
      cmocka_unit_test(another_is_refused),
      cmocka_unit_test(a_child_holds_it),
      cmocka_unit_test(kin_share_it),
      cmocka_unit_test(kin_with_another_layout_get_their_own),
      cmocka_unit_test(it_is_clean_when_the_last_has_left),
      cmocka_unit_test(it_is_not_clean_while_one_was_killed),
      cmocka_unit_test(a_machine_that_went_down),
      cmocka_unit_test(what_is_refused_is_renewed),
      cmocka_unit_test(a_renewed_one_has_other_epochs),
      cmocka_unit_test(what_is_no_place_for_it),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
