#include <sys/resource.h>

#include "engine.hpp"

int main(int argc, char** argv) {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  const auto options = paperboy::fault::parse_options(argc, argv);
  return paperboy::fault::Engine(options).run();
}
