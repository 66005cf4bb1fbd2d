// What finetune and forget share: from a configuration to a Trainer's settings, and where to begin.
#pragma once

#include "app/job.hpp"
#include "app/run_folder.hpp"
#include "train/trainer.hpp"

namespace tofu {

// Error{usage} for settings that would change the training and are not computed.
void refuse_what_is_not_trained(const JobConfig& job);

TrainerSettings trainer_settings(const CommandLine& command_line, const OpenModel& model,
                                 const TrainingPlan& plan, const std::string& data_digest,
                                 const HostGroup& world);

// Reads the checkpoint, if there is one to go on from; returns the steps already taken. Collective.
std::int64_t resume_training(const std::filesystem::path& checkpoint,
                             const TrainerSettings& settings, LoadedModel* model,
                             const Groups& groups);

void log_plan(const TrainingPlan& plan, std::int64_t samples, std::int64_t first_step);

}  // namespace tofu
