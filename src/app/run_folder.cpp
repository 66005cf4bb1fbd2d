#include "app/run_folder.hpp"

#include <sstream>
#include <vector>

#include "base/error.hpp"
#include "base/log.hpp"
#include "checkpoint/training_state.hpp"
#include "store/atomic_file.hpp"

namespace tofu {
namespace {

// Removes what a run of this program leaves, and nothing else.
void clear_run(const std::filesystem::path& folder) {
  for (const char* name : {"log.jsonl", "loss_log.csv", "config.yaml", "checkpoint"}) {
    std::filesystem::remove(folder / name);
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("checkpoint-")) std::filesystem::remove_all(entry.path());
    if (name.starts_with("reference_scores")) std::filesystem::remove(entry.path());
  }
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace

std::string training_fingerprint(const JobConfig& job, const std::string& data_digest,
                                 std::int64_t global_batch_size, std::int64_t total_steps) {
  return fmt::format(
      "data: {}\nforget_loss: {}\nlr: {}\nbeta: {}\ngamma: {}\nweight_decay: {}\nseed: {}\n"
      "global_batch_size: {}\nbatch_size: {}\nsteps: {}\nwarmup_steps: {}\nmax_grad_norm: {}\n"
      "lpl_scope: {}\nretain_pairing: {}\nmodel_family: {}\n",
      data_digest, job.forget_loss, job.lr, job.beta.value_or(0), job.gamma, job.weight_decay,
      job.seed, global_batch_size, job.batch_size, total_steps, job.warmup_steps, job.max_grad_norm,
      job.lpl_scope, job.retain_pairing, job.model_family);
}

std::filesystem::path prepare_run_folder(const LoadedConfig& config, const HostGroup& world) {
  const JobConfig& job = config.job;
  require_key(config, "save_dir", job.save_dir);
  const std::filesystem::path folder = job.save_dir;
  std::string from;
  world.on_root([&] {
    try {
      std::filesystem::create_directories(folder);
      if (job.overwrite_dir) clear_run(folder);
    } catch (const std::filesystem::filesystem_error& error) {
      fail(ErrorCategory::file_system, "save_dir {}: {}", folder.string(), error.code().message());
    }
    const auto newest = newest_checkpoint(folder);
    if (newest && job.resume == "never") {
      fail(ErrorCategory::usage,
           "save_dir {} holds a run already: give another one, resume=auto to go on, or "
           "overwrite_dir=true to start anew",
           folder.string());
    }
    if (job.resume != "auto" && job.resume != "never") {
      from = job.resume;
    } else if (newest) {
      from = checkpoint_folder(folder, *newest).string();
    }
    write_file_atomically(folder / "config.yaml", to_yaml(job));
  });
  return world.broadcast_from_root(from);
}

void check_fingerprint(const std::string& stored, const std::string& wanted,
                       const std::filesystem::path& checkpoint) {
  if (stored == wanted) return;
  const auto there = lines_of(stored);
  const auto here = lines_of(wanted);
  std::string differences;
  for (std::size_t i = 0; i < std::min(there.size(), here.size()); ++i) {
    if (there[i] != here[i]) differences += fmt::format("\n  {} there, {} here", there[i], here[i]);
  }
  fail(
      ErrorCategory::usage,
      "{} belongs to a run with other settings:{}\ngive another save_dir, or overwrite_dir=true to "
      "start anew",
      checkpoint.string(), differences);
}

}  // namespace tofu
