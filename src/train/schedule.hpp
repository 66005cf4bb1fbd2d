// How long a training runs and how large its steps are.
#pragma once

#include <cstdint>

#include "config/job_config.hpp"

namespace tofu {

// Linear from 0 to `peak` over the warm-up, then linear to 0 at the end. `step` counts from 0.
double learning_rate(double peak, std::int64_t step, std::int64_t warmup_steps,
                     std::int64_t total_steps);

struct TrainingPlan {
  std::int64_t global_batch_size = 0;  // samples of a step over all ranks
  std::int64_t steps_per_epoch = 0;    // at least 1
  std::int64_t total_steps = 0;        // at least 1
  std::int64_t warmup_steps = 0;
  std::int64_t epochs = 0;  // epochs that are begun
};

// The plan for `samples` samples on `world_size` ranks. `warmup_default`: what warmup_steps = -1
// stands for.
enum class WarmupDefault { one_epoch, tenth_of_steps };
TrainingPlan make_plan(const JobConfig& job, std::int64_t samples, int world_size,
                       WarmupDefault warmup_default);

}  // namespace tofu
