// tofu_mpi aggregate: figures from the logs of two models.
#include "eval/aggregate.hpp"

#include "app/commands.hpp"
#include "base/log.hpp"
#include "comm/session.hpp"
#include "store/atomic_file.hpp"

namespace tofu {

int run_aggregate(const CommandLine& command_line) {
  const LoadedConfig& config = command_line.config;
  const JobConfig& job = config.job;
  require_key(config, "ckpt_result", job.ckpt_result);
  const HostGroup world(MPI_COMM_WORLD, job.comm_timeout);
  world.on_root([&] {
    const EvalLog unlearned = read_eval_log(job.ckpt_result);
    std::optional<EvalLog> retain;
    if (!job.retain_result.empty()) retain = read_eval_log(job.retain_result);
    const AggregateStat stat =
        aggregate(unlearned, retain ? &*retain : nullptr, parse_truth_ratio(job.eval.truth_ratio));
    for (const std::string& warning : stat.warnings) log_warning("{}", warning);
    const std::string text = aggregate_stat_text(stat);
    fmt::print("{}", text);
    if (!job.save_file.empty()) write_file_atomically(job.save_file, text);
  });
  return 0;
}

}  // namespace tofu
