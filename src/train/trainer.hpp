// The training loop: steps, checkpoints, requests to stop.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "base/provenance.hpp"
#include "comm/groups.hpp"
#include "train/schedule.hpp"
#include "train/training_set.hpp"
#include "train/training_step.hpp"

namespace tofu {

struct TrainerSettings {
  std::filesystem::path run_folder;
  TrainingPlan plan;
  std::int64_t micro_batch_size = 4;
  double peak_lr = 0;
  StepOptions step;  // its lr is set by the schedule
  std::uint64_t seed = 0;
  std::int64_t eval_every = 0;  // steps; 0: not before the end
  std::int64_t save_every = 0;
  std::int64_t keep_last = 2;
  std::int64_t log_every = 1;
  double max_wall_time = 0;  // seconds; 0: no limit
  std::string fingerprint;   // see TrainingState
  std::map<std::string, std::string> model_files;
  KeyValues provenance;
};

class Trainer {
 public:
  Trainer(BlockChain* chain, const Objective& objective, const Hyperparameters& hyper,
          const TrainingSet& data, const Groups& groups, TrainerSettings settings);

  // Trains from step `first_step` (steps already taken) to the end of the plan. `evaluate` is
  // called with the number of steps taken, every eval_every steps. Saves a checkpoint at the end,
  // every save_every steps, and when a signal or max_wall_time asks to stop. Returns whether the
  // plan was completed. Collective.
  bool run(std::int64_t first_step, const std::function<void(std::int64_t)>& evaluate);

 private:
  double elapsed_seconds() const;
  bool agree_to_stop() const;
  void save(std::int64_t step);

  BlockChain* chain_;
  const Objective& objective_;
  Hyperparameters hyper_;
  const TrainingSet& data_;
  const Groups& groups_;
  TrainerSettings settings_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace tofu
