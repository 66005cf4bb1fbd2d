#include "app/training_job.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "checkpoint/training_state.hpp"

namespace tofu {

void refuse_what_is_not_trained(const JobConfig& job) {
  if (job.lora.r > 0) {
    fail(ErrorCategory::usage,
         "LoRA.r={}: adapters are not trained by this version; set LoRA.r=0 to train all "
         "parameters",
         job.lora.r);
  }
}

TrainerSettings trainer_settings(const CommandLine& command_line, const OpenModel& model,
                                 const TrainingPlan& plan, const std::string& data_digest,
                                 const HostGroup& world) {
  const JobConfig& job = command_line.config.job;
  TrainerSettings settings;
  settings.run_folder = job.save_dir;
  settings.plan = plan;
  settings.micro_batch_size = job.batch_size;
  settings.peak_lr = job.lr;
  settings.step.adamw.weight_decay = job.weight_decay;
  settings.step.max_grad_norm = job.max_grad_norm;
  settings.seed = job.seed;
  settings.eval_every = job.eval_steps < 0 ? plan.steps_per_epoch : job.eval_steps;
  settings.save_every = job.save_every;
  settings.keep_last = job.keep_last;
  settings.log_every = job.log_every;
  settings.max_wall_time = job.max_wall_time;
  settings.fingerprint =
      training_fingerprint(job, data_digest, plan.global_batch_size, plan.total_steps);
  settings.model_files = model.source.files();
  settings.provenance = provenance_of(command_line, world);
  settings.provenance.emplace_back("data_digest", data_digest);
  return settings;
}

std::int64_t resume_training(const std::filesystem::path& checkpoint,
                             const TrainerSettings& settings, LoadedModel* model,
                             const Groups& groups) {
  if (checkpoint.empty()) return 0;
  const TrainingState state = load_checkpoint(checkpoint, &model->parameters, groups);
  check_fingerprint(state.fingerprint, settings.fingerprint, checkpoint);
  log_info("going on from {} (step {})", checkpoint.string(), state.step);
  return state.step;
}

void log_plan(const TrainingPlan& plan, std::int64_t samples, std::int64_t first_step) {
  log_info("{} samples, global batch {}, {} steps ({} per epoch), warm-up {}, from step {}",
           samples, plan.global_batch_size, plan.total_steps, plan.steps_per_epoch,
           plan.warmup_steps, first_step);
}

}  // namespace tofu
