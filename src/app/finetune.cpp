// tofu_mpi finetune: teaches a model the answers of a split.
#include "app/commands.hpp"
#include "app/training_job.hpp"
#include "base/log.hpp"
#include "train/stop_request.hpp"

namespace tofu {

int run_finetune(const CommandLine& command_line) {
  const LoadedConfig& config = command_line.config;
  const JobConfig& job = config.job;
  require_key(config, "model_path", job.model_path);
  require_key(config, "data_path", job.data_path);
  refuse_what_is_not_trained(job);
  watch_for_stop_signals();
  const Machine machine(job);
  const HostGroup& world = *machine.groups.world;

  const OpenModel model(config, job.model_path, world);
  const Dataset dataset = Dataset::open(job.data_path);
  const SampleMaker maker{model.tokenizer, model.family, tokenize_options(job, model),
                          job.data.eos == "keep"};
  const TrainingSet data = TrainingSet::for_finetuning(dataset, maker, job.split);
  const TrainingPlan plan =
      make_plan(job, data.size(), world.size(), WarmupDefault::tenth_of_steps);
  if (command_line.dry_run) {
    log_plan(plan, data.size(), 0);
    return 0;
  }

  const auto checkpoint = prepare_run_folder(config, world);
  LoadedModel trained(model, job, machine);
  if (checkpoint.empty()) trained.load(model, job, machine);
  const TrainerSettings settings =
      trainer_settings(command_line, model, plan, data.digest(), world);
  const std::int64_t first_step = resume_training(checkpoint, settings, &trained, machine.groups);
  log_plan(plan, data.size(), first_step);

  Trainer trainer(&trained.chain, find_objective("cross_entropy"), Hyperparameters(), data,
                  machine.groups, settings);
  const bool completed = trainer.run(first_step, [](std::int64_t) {});
  if (completed) log_info("done: {}/checkpoint", job.save_dir);
  return completed ? 0 : kExitRequeue;
}

}  // namespace tofu
