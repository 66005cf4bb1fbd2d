#include "train/schedule.hpp"

#include <algorithm>
#include <cmath>

namespace tofu {

double learning_rate(double peak, std::int64_t step, std::int64_t warmup_steps,
                     std::int64_t total_steps) {
  if (step < warmup_steps) {
    return peak * static_cast<double>(step) / static_cast<double>(warmup_steps);
  }
  const std::int64_t decay_steps = std::max<std::int64_t>(1, total_steps - warmup_steps);
  return peak *
         std::max(0.0, static_cast<double>(total_steps - step) / static_cast<double>(decay_steps));
}

TrainingPlan make_plan(const JobConfig& job, std::int64_t samples, int world_size,
                       WarmupDefault warmup_default) {
  TrainingPlan plan;
  plan.global_batch_size = job.global_batch_size > 0
                               ? job.global_batch_size
                               : job.batch_size * job.gradient_accumulation_steps * world_size;
  plan.steps_per_epoch = std::max<std::int64_t>(1, samples / plan.global_batch_size);
  // As published: the floor of all samples seen over the global batch.
  const auto seen =
      static_cast<std::int64_t>(std::floor(job.num_epochs * static_cast<double>(samples)));
  plan.total_steps =
      job.max_steps > 0 ? job.max_steps : std::max<std::int64_t>(1, seen / plan.global_batch_size);
  if (job.warmup_steps >= 0) {
    plan.warmup_steps = job.warmup_steps;
  } else if (warmup_default == WarmupDefault::one_epoch) {
    plan.warmup_steps = plan.steps_per_epoch;
  } else {
    plan.warmup_steps = plan.total_steps / 10;
  }
  plan.epochs = (plan.total_steps * plan.global_batch_size + samples - 1) / samples;
  return plan;
}

}  // namespace tofu
