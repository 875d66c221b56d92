#include "cli/token_options.hpp"

namespace paperboy::cli {

Outcome<std::optional<auth::Algorithm>> read_algorithm(
    const Arguments& arguments) {
  const auto name = arguments.value("alg");
  if (!name) return std::optional<auth::Algorithm>();
  const auto algorithm = auth::algorithm_by_name(*name);
  if (!algorithm) {
    return misused(
        "--alg: there are HS, RS and ES with 256, 384 and 512, as "
        "HS256");
  }
  return algorithm;
}

}  // namespace paperboy::cli
