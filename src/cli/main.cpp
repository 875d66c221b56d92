// paperboy-cli: channels and tokens from the command line, for operators and
// scripts. docs/cli.md is its manual.
#include <csignal>
#include <exception>
#include <vector>

#include "base/version.hpp"
#include "cli/arguments.hpp"
#include "cli/output.hpp"
#include "cli/pub.hpp"
#include "cli/revoke.hpp"
#include "cli/sub.hpp"
#include "cli/token_make.hpp"
#include "cli/token_opaque.hpp"
#include "cli/token_show.hpp"

namespace {

using namespace paperboy;
using namespace paperboy::cli;

constexpr Bytes kHelp =
    "usage: paperboy-cli COMMAND ...\n"
    "\n"
    "  sub URL            print what is published, one message a line\n"
    "  pub URL [MESSAGE]  publish a message\n"
    "  revoke URL         make tokens bad before their time\n"
    "  token make         make a JSON Web Token\n"
    "  token show         show what a token says, and whether it is good\n"
    "  token create URL   have a server make an opaque token\n"
    "  token end URL      end one\n"
    "\n"
    "Each command has --help. --version prints the version.\n";

Exit print_and_finish(Bytes text) {
  print(text);
  return finished();
}

Exit no_command() {
  complain("which command? --help lists them");
  return Exit::usage;
}

Exit run_token(Words words) {
  if (!words.empty() && words[0] == "make") {
    return run_token_make(words.subspan(1));
  }
  if (!words.empty() && words[0] == "show") {
    return run_token_show(words.subspan(1));
  }
  if (!words.empty() && words[0] == "create") {
    return run_token_create(words.subspan(1));
  }
  if (!words.empty() && words[0] == "end") {
    return run_token_end(words.subspan(1));
  }
  return asks_for_help(words) ? print_and_finish(kHelp) : no_command();
}

Exit run(Words words) {
  if (words.empty()) return no_command();
  if (words[0] == "pub") return run_pub(words.subspan(1));
  if (words[0] == "sub") return run_sub(words.subspan(1));
  if (words[0] == "revoke") return run_revoke(words.subspan(1));
  if (words[0] == "token") return run_token(words.subspan(1));
  if (words[0] == "--version") {
    return print_and_finish("paperboy-cli " + std::string(kVersion) + "\n");
  }
  return asks_for_help(words) || words[0] == "help" ? print_and_finish(kHelp)
                                                    : no_command();
}

}  // namespace

int main(int count, char** words) {
  // A reader that has gone is told by the failed write.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    const std::vector<Bytes> given(words + 1, words + count);
    return static_cast<int>(run(given));
  } catch (const std::exception&) {  // no memory is left
    complain("out of memory");
    return static_cast<int>(Exit::usage);
  }
}
