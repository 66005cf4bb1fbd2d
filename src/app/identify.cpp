// tofu_mpi identify: tells the unwanted words of the answers of a split from the general ones.
#include <filesystem>

#include "app/commands.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "data/split_digest.hpp"
#include "identify/agreement.hpp"
#include "identify/frequency.hpp"
#include "identify/mask_files.hpp"
#include "identify/masked_word.hpp"
#include "identify/partial_results.hpp"
#include "train/stop_request.hpp"

namespace tofu {
namespace {

// What a classifier is given, and what it leaves.
struct Identification {
  const CommandLine& command_line;
  const HostGroup& world;
  const Dataset& dataset;
  std::vector<Record> records;  // of the split
  std::filesystem::path out;    // where the masks go
  KeyValues provenance;         // a classifier adds the digests of what it used

  const JobConfig& job() const { return command_line.config.job; }
  // Beside the masks, for what is kept while they are not complete.
  std::filesystem::path beside(const char* ending) const { return out.string() + ending; }
};

// The general words, or nothing if the classifier was asked to stop or there is nothing to compute
// (--dry-run).
using Result = std::optional<AnswerMasks>;

Result by_masked_lm(Identification* task) {
  const JobConfig& job = task->job();
  require_key(task->command_line.config, "identifier_path", job.identifier_path);
  const Machine machine(job);
  const MaskedLm model = MaskedLm::load(job.identifier_path, machine.device);
  const Tokenizer tokenizer = Tokenizer::load(job.identifier_path);
  check_tokenizer(tokenizer, model, job.identifier_path);
  if (task->command_line.dry_run) return std::nullopt;
  task->provenance.emplace_back("identifier_digest", model.digest());
  task->provenance.emplace_back("tokenizer_digest", tokenizer.digest());

  std::optional<PartialResults> partial;
  task->world.on_root([&] {
    partial.emplace(task->beside(".partial"),
                    fmt::format("masked words: data {}, model {}, tokenizer {}",
                                split_digest(task->records), model.digest(), tokenizer.digest()));
  });
  const MaskedWordJob masked_words{model, tokenizer, job.threshold.value_or(0), job.batch_size,
                                   stop_was_requested};
  return identify_masked_words(masked_words, task->records, partial ? &*partial : nullptr,
                               task->world);
}

Result by_frequency(Identification* task) {
  const JobConfig& job = task->job();
  const std::string retain = job.retain_set.empty() ? complement_split(job.split) : job.retain_set;
  const std::vector<Record> retained = task->dataset.records(retain);
  if (task->command_line.dry_run) return std::nullopt;
  task->provenance.emplace_back("retain_digest", split_digest(retained));
  const FrequencyOptions defaults;
  return identify_by_frequency(
      task->records, document_frequency(retained, job.author_records),
      {job.author_records, job.threshold.value_or(defaults.threshold), job.name_threshold});
}

// Masks that are there already, to be written in another form.
Result from_masks(Identification* task) {
  const JobConfig& job = task->job();
  const auto masks = read_all_masks(job.from);
  auto found = masks.find(job.split);
  if (found == masks.end()) found = masks.find("");
  if (found == masks.end()) {
    fail(ErrorCategory::input_data, "{}: there are no masks of the split {}", job.from, job.split);
  }
  if (split_digest(found->second.records) != split_digest(task->records)) {
    fail(ErrorCategory::input_data,
         "{}: these masks were made for other questions and answers than those of {} in {}",
         job.from, job.split, job.data_path);
  }
  task->provenance.emplace_back("from", job.from);
  return found->second.masks;
}

struct Classifier {
  const char* name;
  Result (*identify)(Identification*);
};

constexpr Classifier kClassifiers[] = {
    {"bert", by_masked_lm},
    {"frequency", by_frequency},
};

Result classify(Identification* task) {
  if (!task->job().from.empty()) return from_masks(task);
  std::string names;
  for (const Classifier& classifier : kClassifiers) {
    if (task->job().classifier == classifier.name) return classifier.identify(task);
    names += fmt::format("{}{}", names.empty() ? "" : ", ", classifier.name);
  }
  fail(ErrorCategory::usage, "classifier is '{}'; it can be one of {}", task->job().classifier,
       names);
}

void log_summary(const Identification& task, const AnswerMasks& masks) {
  const Agreement counts = compare_masks(task.records, masks, masks);
  log_info("{}: {} answers, {} words, {:.1f} % unwanted", task.out.string(), counts.answers,
           counts.words, 100 * counts.share_a());
  if (counts.answers_without_unwanted_a > 0) {
    log_warning("{} answers have no unwanted word: there is nothing in them to forget",
                counts.answers_without_unwanted_a);
  }
}

void make_folder_of(const std::filesystem::path& file) {
  if (!file.has_parent_path()) return;
  std::error_code error;
  std::filesystem::create_directories(file.parent_path(), error);
  if (error) {
    fail(ErrorCategory::file_system, "{}: {}", file.parent_path().string(), error.message());
  }
}

int compare(const LoadedConfig& config, const HostGroup& world) {
  require_key(config, "reference", config.job.reference);
  world.on_root([&] {
    fmt::print("A: {}\nB: {}\n\n{}", config.job.compare, config.job.reference,
               agreement_report(compare_all_masks(config.job.compare, config.job.reference)));
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

  const Result masks = classify(&task);
  if (command_line.dry_run) return 0;
  if (!masks) {
    log_info("stopped on request; the same command goes on from here");
    return kExitRequeue;
  }
  world.on_root([&] {
    write_split_masks(task.out, dataset, job.split, job.classifier, {task.records, *masks},
                      task.provenance);
    std::filesystem::remove(task.beside(".partial"));
    log_summary(task, *masks);
  });
  return 0;
}

}  // namespace tofu
