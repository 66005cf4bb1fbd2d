// Checkpoints of a training: a folder with the model file, the optimizer's state, and the texts
// that make it a model's folder. Named arrays with global shapes: any number of ranks reads what
// any other wrote.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "base/provenance.hpp"
#include "checkpoint/model_source.hpp"
#include "zero/sharded_parameters.hpp"

namespace tofu {

// What a training has to know to go on, beside weights and moments.
struct TrainingState {
  std::int64_t step = 0;    // optimizer steps taken
  std::string fingerprint;  // of the data and the settings that a resumed run must share
};

// "checkpoint-<step>" inside the run's folder.
std::filesystem::path checkpoint_folder(const std::filesystem::path& run, std::int64_t step);

// Saves into checkpoint_folder(run, state.step), which may exist with evaluation results, and
// points the link `run`/checkpoint at it. Nothing has its name before it is complete. Collective.
void save_checkpoint(const std::filesystem::path& run, const TrainingState& state,
                     ShardedParameters* parameters, const Groups& groups,
                     const std::map<std::string, std::string>& model_files,
                     const KeyValues& provenance);

// The step of the newest complete checkpoint of a run, if there is one.
std::optional<std::int64_t> newest_checkpoint(const std::filesystem::path& run);

// Reads weights, moments and state from a checkpoint's folder. Collective.
TrainingState load_checkpoint(const std::filesystem::path& folder, ShardedParameters* parameters,
                              const Groups& groups);

// Deletes weights and moments of all but the newest `keep` checkpoints before the newest; their
// evaluation results stay. For one rank.
void remove_old_checkpoints(const std::filesystem::path& run, std::int64_t keep);

}  // namespace tofu
