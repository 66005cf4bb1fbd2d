// The classifiers as identify runs them: from the configuration to the general words.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "app/job.hpp"
#include "data/answer_masks.hpp"

namespace tofu {

// What a classifier is given, and what it adds.
struct Identification {
  const CommandLine& command_line;
  const HostGroup& world;
  const Dataset& dataset;
  std::vector<Record> records;  // of the split
  std::filesystem::path out;    // where the masks go
  KeyValues provenance;         // a classifier adds the digests of what it used

  const JobConfig& job() const { return command_line.config.job; }
  // A file beside the masks, for what is kept while they are not complete.
  std::filesystem::path beside(const char* ending) const { return out.string() + ending; }
};

// The general words of each record on rank 0 (on the others perhaps empty), or, on all ranks, none:
// the job is then over with `exit_code`.
struct Identified {
  std::optional<AnswerMasks> masks;
  int exit_code = 0;
};

// Runs the classifier that is configured, or reads the masks that `from` names. Checks everything
// and computes nothing with --dry-run. Error{usage} lists the classifiers if there is none of that
// name. Collective.
Identified identify(Identification* task);

}  // namespace tofu
