// tofu_mpi evaluate: measures a model on TOFU.
#include "app/commands.hpp"
#include "app/evaluation.hpp"

namespace tofu {

int run_evaluate(const CommandLine& command_line) {
  const LoadedConfig& config = command_line.config;
  const JobConfig& job = config.job;
  require_key(config, "model_path", job.model_path);
  require_key(config, "data_path", job.data_path);
  require_key(config, "save_dir", job.save_dir);
  const Machine machine(job);
  const HostGroup& world = *machine.groups.world;

  const OpenModel opened(config, job.model_path, world);
  const Dataset dataset = Dataset::open(job.data_path);
  load_eval_sets(dataset, job.split, job.eval.ds_size);
  if (command_line.dry_run) return 0;
  LoadedModel model(opened, job, machine);
  model.load(opened, job, machine);
  const Llama llama = model.whole(max_positions(job));

  std::optional<LoadedModel> reference;
  std::optional<Llama> reference_llama;
  if (!job.eval.reference_path.empty()) {
    const OpenModel opened_reference(config, job.eval.reference_path, world);
    reference.emplace(opened_reference, job, machine);
    reference->load(opened_reference, job, machine);
    reference_llama.emplace(reference->whole(max_positions(job)));
  }
  evaluate_into(job.save_dir, config, llama, reference_llama ? &*reference_llama : nullptr, opened,
                dataset, world);
  return 0;
}

}  // namespace tofu
