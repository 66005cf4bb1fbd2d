// tofu_mpi prepare: one HDF5 dataset from TOFU's JSON files and mask files.
#include "app/commands.hpp"
#include "base/error.hpp"
#include "base/log.hpp"

namespace tofu {
namespace {

// The token arrays of one field; texts that are empty have no tokens.
TokenArrays tokenize_field(const Tokenizer& tokenizer, const ModelFamily& family,
                           const std::vector<Record>& records, const TokenizeOptions& options,
                           std::string Record::*field) {
  TokenArrays arrays;
  arrays.tokenizer_digest = tokenizer.digest();
  arrays.offsets.push_back(0);
  for (const Record& record : records) {
    std::int64_t label_start = 0;
    if (!(record.*field).empty()) {
      const Sample sample =
          tokenize_sample(tokenizer, family, record.question, record.*field, {}, false, options);
      while (label_start < std::ssize(sample.ids) &&
             (label_start == 0 ||
              sample.kinds[static_cast<std::size_t>(label_start - 1)] == TokenKind::prompt)) {
        ++label_start;
      }
      arrays.ids.insert(arrays.ids.end(), sample.ids.begin(), sample.ids.end());
    }
    arrays.label_start.push_back(label_start);
    arrays.offsets.push_back(std::ssize(arrays.ids));
  }
  return arrays;
}

}  // namespace

int run_prepare(const CommandLine& command_line) {
  const LoadedConfig& config = command_line.config;
  const JobConfig& job = config.job;
  require_key(config, "data_path", job.data_path);
  require_key(config, "out", job.out);
  const HostGroup world(MPI_COMM_WORLD, job.comm_timeout);
  world.on_root([&] {
    DatasetContent content = Dataset::open(job.data_path, job.masks_path).content();
    for (const auto& [key, value] : provenance_of(command_line, world)) {
      content.provenance[key] = value;
    }
    if (!job.tokenizer_path.empty()) {
      const Tokenizer tokenizer = Tokenizer::load(job.tokenizer_path);
      const ModelFamily family = load_model_family(config.file, job.model_family);
      const TokenizeOptions options{job.max_length, parse_prompt_border(job.data.border),
                                    tokenizer.eos_id().value_or(0)};
      for (const auto& [split, records] : content.splits) {
        content.tokens[family.name][split]["answer"] =
            tokenize_field(tokenizer, family, records, options, &Record::answer);
      }
    }
    std::size_t records = 0;
    for (const auto& [split, split_records] : content.splits) records += split_records.size();
    if (!command_line.dry_run) write_dataset_file(job.out, content);
    log_info("{}: {} splits, {} records, masks of {} classifiers", job.out, content.splits.size(),
             records, content.masks.size());
  });
  return 0;
}

}  // namespace tofu
