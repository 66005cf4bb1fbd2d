#include "app/evaluation.hpp"

#include "base/log.hpp"
#include "store/atomic_file.hpp"

namespace tofu {
namespace {

void write_files(const std::filesystem::path& folder, const EvalLog& log,
                 const AggregateStat& stat) {
  std::filesystem::create_directories(folder);
  for (const auto& [name, set] : log.sets) {
    write_file_atomically(folder / name, set_log_json(set, log.conventions));
  }
  write_file_atomically(folder / "eval_log_aggregated.json", eval_log_json(log));
  write_file_atomically(folder / "aggregate_stat.txt", aggregate_stat_text(stat));
}

void log_figures(const std::filesystem::path& folder, const AggregateStat& stat) {
  for (const auto& [name, value] : stat.figures) {
    if (name == "Model Utility" || name == "Forget Quality") log_info("{}: {:.6g}", name, value);
  }
  if (stat.forget_quality) {
    const KsResult& ks = *stat.forget_quality;
    log_info("KS test: D {:.4f}, n {}, m {}, log10 p {:.3f}, smallest p for these sizes {:.3g}",
             ks.statistic, ks.n, ks.m, ks.log10_p_value, ks.smallest_p_value);
  } else {
    log_info("forget quality is left out: eval.retain_result names no log of a retain model");
  }
  log_info("evaluation in {}", folder.string());
}

}  // namespace

AggregateStat evaluate_into(const std::filesystem::path& folder, const LoadedConfig& config,
                            const Llama& model, const Llama* reference, const OpenModel& opened,
                            const Dataset& dataset, const HostGroup& world) {
  const JobConfig& job = config.job;
  const auto sets = load_eval_sets(dataset, job.split, job.eval.ds_size);
  const EvalInput input{model,    reference,       opened.tokenizer, opened.family,
                        job.eval, job.data.border, job.seed};
  const EvalLog log = evaluate_sets(input, sets, world);
  AggregateStat stat;
  world.on_root([&] {
    std::optional<EvalLog> retain;
    if (!job.eval.retain_result.empty()) retain = read_eval_log(job.eval.retain_result);
    stat = aggregate(log, retain ? &*retain : nullptr, parse_truth_ratio(job.eval.truth_ratio));
    write_files(folder, log, stat);
  });
  for (const std::string& warning : stat.warnings) log_warning("{}", warning);
  log_figures(folder, stat);
  return stat;
}

}  // namespace tofu
