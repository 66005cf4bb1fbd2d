// tofu_mpi forget: makes a fine-tuned model forget a split.
#include "app/commands.hpp"
#include "app/evaluation.hpp"
#include "app/objective_settings.hpp"
#include "app/reference_cache.hpp"
#include "app/training_job.hpp"
#include "base/log.hpp"
#include "checkpoint/training_state.hpp"
#include "objective/reference_scores.hpp"
#include "train/stop_request.hpp"

namespace tofu {
int run_forget(const CommandLine& command_line) {
  const LoadedConfig& config = command_line.config;
  const JobConfig& job = config.job;
  require_key(config, "model_path", job.model_path);
  require_key(config, "data_path", job.data_path);
  const Objective& objective = find_objective(job.forget_loss);
  refuse_what_is_not_trained(job);
  watch_for_stop_signals();
  const Machine machine(job);
  const HostGroup& world = *machine.groups.world;

  const OpenModel model(config, job.model_path, world);
  const Dataset dataset = Dataset::open(job.data_path, job.masks_path);
  load_eval_sets(dataset, job.split, job.eval.ds_size);  // what is missing shows now, not hours on
  const SampleMaker maker{model.tokenizer, model.family, tokenize_options(job, model), true};
  const TrainingPlan plan = make_plan(job, std::ssize(dataset.records(job.split)), world.size(),
                                      WarmupDefault::one_epoch);
  TrainingSet data = TrainingSet::for_unlearning(dataset, maker, job, objective, plan.epochs);
  if (command_line.dry_run) {
    log_plan(plan, data.size(), 0);
    return 0;
  }

  const auto checkpoint = prepare_run_folder(config, world);
  LoadedModel policy(model, job, machine);
  const std::string model_digest = policy.load(model, job, machine);
  if (objective.needs_reference) {
    // The reference is the model before unlearning, which the policy still is.
    data.set_references(cached_reference_scores(job, &policy.chain, data, model_digest, world));
  }
  if (objective.needs_distributions) {
    const std::int64_t padded_length = job.eval.kl_positions == "all" ? job.max_length : 0;
    data.set_distributions(
        reference_distributions(&policy.chain, data.distribution_samples(), padded_length, world),
        padded_length);
  }
  const TrainerSettings settings =
      trainer_settings(command_line, model, plan, data.digest(), world);
  const std::int64_t first_step = resume_training(checkpoint, settings, &policy, machine.groups);
  log_plan(plan, data.size(), first_step);

  const auto evaluate = [&](std::int64_t step) {
    evaluate_into(checkpoint_folder(job.save_dir, step), config, policy.whole(max_positions(job)),
                  nullptr, model, dataset, world);
  };
  Trainer trainer(&policy.chain, objective, hyperparameters(job, model.family), data,
                  machine.groups, settings);
  if (!trainer.run(first_step, evaluate)) return kExitRequeue;
  evaluate(plan.total_steps);
  log_info("done: {}/checkpoint", job.save_dir);
  return 0;
}

}  // namespace tofu
