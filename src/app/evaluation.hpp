// Evaluating a model and leaving the published files.
#pragma once

#include <filesystem>

#include "app/job.hpp"
#include "eval/aggregate.hpp"
#include "eval/tofu_task.hpp"

namespace tofu {

// Evaluates `model` on TOFU's four sets for job.split and writes into `folder`: the log of each
// set, eval_log_aggregated.json and aggregate_stat.txt. Collective.
AggregateStat evaluate_into(const std::filesystem::path& folder, const LoadedConfig& config,
                            const Llama& model, const Llama* reference, const OpenModel& opened,
                            const Dataset& dataset, const HostGroup& world);

}  // namespace tofu
