// tofu_mpi convert: a Hugging Face folder to a model file of ours, and back.
#include "app/commands.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "checkpoint/model_file.hpp"

namespace tofu {

int run_convert(const CommandLine& command_line) {
  const LoadedConfig& config = command_line.config;
  const JobConfig& job = config.job;
  require_key(config, "from", job.from);
  require_key(config, "to", job.to);
  const HostGroup world(MPI_COMM_WORLD, job.comm_timeout);
  const ModelSource source = ModelSource::open(job.from, world.comm());
  if (command_line.dry_run) return 0;
  if (std::filesystem::exists(job.to) && !job.overwrite_dir) {
    fail(ErrorCategory::usage, "{} is already there: give another name, or overwrite_dir=true",
         job.to);
  }
  world.barrier();
  if (std::filesystem::path(job.to).extension() == ".h5") {
    copy_to_model_file(source, job.to, world.comm(), provenance_of(command_line, world));
  } else {
    copy_to_hf_folder(source, job.to, world.comm());
  }
  log_info("{} -> {}", job.from, job.to);
  return 0;
}

}  // namespace tofu
