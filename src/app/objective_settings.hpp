// The objective's numbers from a configuration.
#pragma once

#include "config/job_config.hpp"
#include "objective/objective.hpp"

namespace tofu {

Hyperparameters hyperparameters(const JobConfig& job, const ModelFamily& family);

}  // namespace tofu
