// tofu_mpi identify: tells the unwanted words of the answers of a split from the general ones.
#include <filesystem>

#include "app/commands.hpp"
#include "app/identification.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "data/split_digest.hpp"
#include "identify/mask_files.hpp"
#include "train/stop_request.hpp"

namespace tofu {
namespace {

void make_folder_of(const std::filesystem::path& file) {
  if (!file.has_parent_path()) return;
  std::error_code error;
  std::filesystem::create_directories(file.parent_path(), error);
  if (error) {
    fail(ErrorCategory::file_system, "{}: {}", file.parent_path().string(), error.message());
  }
}

void log_summary(const Identification& task, const AnswerMasks& masks) {
  const Agreement counts = compare_masks(task.records, masks, masks);
  log_info("{}: {} answers, {} words, {:.1f} % of them unwanted", task.out.string(), counts.answers,
           counts.words, 100 * counts.share_a());
  if (counts.answers_without_unwanted_a > 0) {
    log_warning("{} answers have no unwanted word: there is nothing in them to forget",
                counts.answers_without_unwanted_a);
  }
}

// --compare A B
int compare(const LoadedConfig& config, const HostGroup& world) {
  require_key(config, "reference", config.job.reference);
  world.on_root([&] {
    const auto agreements = compare_all_masks(config.job.compare, config.job.reference);
    fmt::print("A: {}\nB: {} (the reference)\n\n{}", config.job.compare, config.job.reference,
               agreement_report(agreements));
  });
  return 0;
}

}  // namespace

int run_identify(const CommandLine& command_line) {
  const LoadedConfig& config = command_line.config;
  const JobConfig& job = config.job;
  const HostGroup world(MPI_COMM_WORLD, job.comm_timeout);
  if (!job.compare.empty()) return compare(config, world);
  require_key(config, "data_path", job.data_path);
  require_key(config, "split", job.split);
  require_key(config, "classifier", job.classifier);
  require_key(config, "out", job.out);
  watch_for_stop_signals();

  const Dataset dataset = Dataset::open(job.data_path);
  Identification task{command_line,
                      world,
                      dataset,
                      dataset.records(job.split),
                      mask_output(job.out, job.split, job.classifier),
                      provenance_of(command_line, world)};
  task.provenance.emplace_back("split_digest", split_digest(task.records));
  if (!command_line.dry_run) world.on_root([&] { make_folder_of(task.out); });

  const Identified identified = identify(&task);
  if (!identified.masks) return identified.exit_code;
  world.on_root([&] {
    write_split_masks(task.out, dataset, job.split, job.classifier,
                      {task.records, *identified.masks}, task.provenance);
    std::filesystem::remove(task.beside(".partial"));
    log_summary(task, *identified.masks);
  });
  return 0;
}

}  // namespace tofu
