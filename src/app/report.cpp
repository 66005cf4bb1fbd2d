// tofu_mpi report: shows what a run left behind.
#include "app/commands.hpp"
#include "report/run_report.hpp"

namespace tofu {

int run_report_command(const CommandLine& command_line) {
  const LoadedConfig& config = command_line.config;
  require_key(config, "save_dir", config.job.save_dir);
  const HostGroup world(MPI_COMM_WORLD, config.job.comm_timeout);
  world.on_root([&] { fmt::print("{}", run_report(config.job.save_dir)); });
  return 0;
}

}  // namespace tofu
