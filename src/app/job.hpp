// What every job that computes with a model begins with.
#pragma once

#include <memory>
#include <string>

#include "base/provenance.hpp"
#include "checkpoint/model_source.hpp"
#include "comm/groups.hpp"
#include "config/job_config.hpp"
#include "data/dataset.hpp"
#include "data/tokenize.hpp"
#include "model/llama.hpp"
#include "text/tokenizer.hpp"
#include "zero/block_chain.hpp"

namespace tofu {

// What the command line says.
struct CommandLine {
  std::string command;
  LoadedConfig config;
  bool dry_run = false;
};

// Chooses the device and the threads of this rank, forms the groups, and logs what was found and
// chosen. Collective over MPI_COMM_WORLD.
struct Machine {
  explicit Machine(const JobConfig& job);

  at::Device device;
  Groups groups;
};

// bf16 or fp32.
at::ScalarType compute_type(const JobConfig& job);

// A model's configuration, tokenizer and family, opened and checked against each other. Its weights
// are not read yet.
struct OpenModel {
  // `path` is job.model_path, or another model of the same family. Collective.
  OpenModel(const LoadedConfig& config, const std::string& path, const HostGroup& world);

  ModelSource source;
  ModelFamily family;
  Tokenizer tokenizer;
};

// A model's parameters sharded over the groups, and the chain that computes with them.
struct LoadedModel {
  LoadedModel(const OpenModel& model, const JobConfig& job, const Machine& machine);

  // Reads the weights, or makes new ones with init=random; returns their digest. Collective.
  std::string load(const OpenModel& model, const JobConfig& job, const Machine& machine);
  // The parameters whole on every rank, for evaluation. Collective.
  Llama whole(std::int64_t max_positions);

  ShardedParameters parameters;
  BlockChain chain;
};

// The longest sequence that the job computes with.
std::int64_t max_positions(const JobConfig& job);

// The end of a sequence is the tokenizer's, as the published programs pad with it; the model's
// where the tokenizer names none.
TokenizeOptions tokenize_options(const JobConfig& job, const OpenModel& model);

// What files record of this job: program, revision, configuration, ranks, libraries.
KeyValues provenance_of(const CommandLine& command_line, const HostGroup& world);

}  // namespace tofu
