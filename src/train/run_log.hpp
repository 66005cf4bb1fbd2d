// What a training leaves behind while it runs: log.jsonl, loss_log.csv, and lines on the terminal.
#pragma once

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include "train/training_step.hpp"

namespace tofu {

struct StepRecord {
  std::int64_t step = 0;  // from 1
  double epoch = 0;       // passes over the data so far
  double lr = 0;
  double seconds = 0;
  StepReport report;
};

// Writes on rank 0 only; the others' is silent.
class RunLog {
 public:
  // Keeps the lines of `folder`/log.jsonl up to `resumed_step` and goes on after them.
  // Error{file_system} if it cannot be written.
  RunLog(const std::filesystem::path& folder, bool is_root, std::int64_t resumed_step,
         std::int64_t total_steps, std::int64_t log_every);

  void write(const StepRecord& record);
  // loss_log.csv: a row per line of log.jsonl.
  void write_loss_table() const;

 private:
  void show_progress(const StepRecord& record);

  std::filesystem::path folder_;
  bool is_root_;
  std::int64_t resumed_step_;
  std::int64_t total_steps_;
  std::int64_t log_every_;
  std::ofstream file_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point last_shown_{};
};

}  // namespace tofu
