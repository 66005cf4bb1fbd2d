#include "app/identification.hpp"

#include "app/chat_identification.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "data/split_digest.hpp"
#include "identify/frequency.hpp"
#include "identify/mask_files.hpp"
#include "identify/masked_word.hpp"
#include "identify/model_word.hpp"
#include "identify/partial_results.hpp"
#include "train/stop_request.hpp"

namespace tofu {
namespace {

// classifier=model: least drop of a word's probability for it to be unwanted.
constexpr double kModelThreshold = 0.5;

Identified by_masked_lm(Identification* task) {
  const JobConfig& job = task->job();
  require_key(task->command_line.config, "identifier_path", job.identifier_path);
  const Machine machine(job);
  const MaskedLm model = MaskedLm::load(job.identifier_path, machine.device);
  const Tokenizer tokenizer = Tokenizer::load(job.identifier_path);
  check_tokenizer(tokenizer, model, job.identifier_path);
  if (task->command_line.dry_run) return {};
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
  auto masks = identify_masked_words(masked_words, task->records, partial ? &*partial : nullptr,
                                     task->world);
  if (masks) return {std::move(masks), 0};
  log_info("stopped on request; the same command goes on from here");
  return {std::nullopt, kExitRequeue};
}

Identified by_frequency(Identification* task) {
  const JobConfig& job = task->job();
  const std::string retain = job.retain_set.empty() ? complement_split(job.split) : job.retain_set;
  const std::vector<Record> retained = task->dataset.records(retain);
  if (task->command_line.dry_run) return {};
  task->provenance.emplace_back("retain_digest", split_digest(retained));
  const FrequencyOptions defaults;
  return {identify_by_frequency(
              task->records, document_frequency(retained, job.author_records),
              {job.author_records, job.threshold.value_or(defaults.threshold), job.name_threshold}),
          0};
}

// The probabilities of the words of all answers for one model, which is let go again.
std::vector<std::vector<double>> score_words(Identification* task, const Machine& machine,
                                             const OpenModel& opened, bool with_question,
                                             const char* digest_name) {
  const JobConfig& job = task->job();
  LoadedModel model(opened, job, machine);
  task->provenance.emplace_back(digest_name, model.load(opened, job, machine));
  const Llama llama = model.whole(max_positions(job));
  return word_probabilities(
      {llama, opened.tokenizer, opened.family, with_question, job.batch_size, job.max_length},
      task->records, *machine.groups.world);
}

Identified by_model(Identification* task) {
  const LoadedConfig& config = task->command_line.config;
  const JobConfig& job = config.job;
  require_key(config, "model_path", job.model_path);
  const Machine machine(job);
  const bool has_base = !job.base_model_path.empty();
  const OpenModel tuned(config, job.model_path, task->world);
  std::optional<OpenModel> base;
  if (has_base) base.emplace(config, job.base_model_path, task->world);
  if (task->command_line.dry_run) return {};
  const auto knowing = score_words(task, machine, tuned, true, "model_digest");
  const auto ignorant = has_base ? score_words(task, machine, *base, true, "base_model_digest")
                                 : score_words(task, machine, tuned, false, "model_digest_again");
  return {
      identify_by_drop(task->records, knowing, ignorant, job.threshold.value_or(kModelThreshold)),
      0};
}

// Masks that are there already, to be written in another form.
Identified from_masks(Identification* task) {
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
  if (task->command_line.dry_run) return {};
  task->provenance.emplace_back("from", job.from);
  return {found->second.masks, 0};
}

struct Classifier {
  const char* name;
  Identified (*identify)(Identification*);
};

constexpr Classifier kClassifiers[] = {
    {"bert", by_masked_lm},
    {"gpt", by_chat},
    {"frequency", by_frequency},
    {"model", by_model},
};

}  // namespace

Identified identify(Identification* task) {
  if (!task->job().from.empty()) return from_masks(task);
  std::string names;
  for (const Classifier& classifier : kClassifiers) {
    if (task->job().classifier == classifier.name) return classifier.identify(task);
    names += fmt::format("{}{}", names.empty() ? "" : ", ", classifier.name);
  }
  fail(ErrorCategory::usage, "classifier is '{}'; it can be one of {}", task->job().classifier,
       names);
}

}  // namespace tofu
