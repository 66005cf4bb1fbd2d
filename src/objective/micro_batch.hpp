// The gradient of an objective over a rank's micro-batches.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "comm/session.hpp"
#include "objective/objective.hpp"
#include "zero/block_chain.hpp"

namespace tofu {

// The samples of one micro-batch by role; a role that the objective does not need is empty.
// References stand beside forget and refusal samples where the objective needs them.
struct MicroBatch {
  std::vector<const Sample*> forget;
  std::vector<const Sample*> retain;
  std::vector<const Sample*> refusal;
  std::vector<const ReferenceScores*> forget_references;
  std::vector<const ReferenceScores*> refusal_references;
  // For objectives with a KL term: the reference's distributions of each retain sample.
  std::vector<const at::Tensor*> retain_distributions;
  at::Tensor reference_head_VD;
  // Retain samples are computed up to this length, padding included; 0: without padding.
  std::int64_t retain_padded_length = 0;

  std::int64_t token_count() const;
};

// Sums over micro-batches.
struct LossSums {
  double loss = 0;
  std::map<std::string, double> parts;
  std::int64_t micro_batches = 0;
};

// Adds the gradient of the mean loss over `global_micro_batches` micro-batches, of which `local`
// are this rank's (any number, also none), to the chain's parameters, in `passes` passes over the
// chain. Collective over the shard group with the same `passes` everywhere. Returns this rank's
// sums.
LossSums accumulate_gradient(BlockChain* chain, const Objective& objective,
                             const Hyperparameters& hyper, const std::vector<MicroBatch>& local,
                             std::int64_t global_micro_batches, std::int64_t passes);

// LPL over the global batch, for LplScope::global_batch: one more forward pass. Collective over
// `world` with the same `passes` everywhere.
GlobalPreference measure_preference(BlockChain* chain, const std::vector<MicroBatch>& local,
                                    std::int64_t global_micro_batches, std::int64_t passes,
                                    const HostGroup& world);

// How many passes micro-batches of these sizes (tokens) need, so that what a pass keeps for the
// backward pass stays bounded.
std::int64_t passes_for(const std::vector<std::int64_t>& token_counts);

}  // namespace tofu
