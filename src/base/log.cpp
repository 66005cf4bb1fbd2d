#include "base/log.hpp"

#include <cstdio>
#include <string>

namespace tofu {
namespace {

int log_rank = 0;
int log_world_size = 1;

// One write per line, so that lines of several ranks do not mix.
void write_line(const std::string& line) {
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fflush(stderr);
}

}  // namespace

void set_log_rank(int rank, int world_size) {
  log_rank = rank;
  log_world_size = world_size;
}

void log_line(std::string_view line) {
  if (log_rank == 0) write_line(std::string(line) + "\n");
}

void log_error(std::string_view message) {
  const std::string prefix =
      log_rank > 0 ? fmt::format("rank {} of {}: ", log_rank, log_world_size) : std::string();
  write_line(fmt::format("error: {}{}\n", prefix, message));
}

}  // namespace tofu
