// One optimizer step over a global batch.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "comm/session.hpp"
#include "objective/micro_batch.hpp"

namespace tofu {

struct StepOptions {
  AdamWOptions adamw;
  double max_grad_norm = 1;  // 0: no clipping
};

struct StepReport {
  double loss = 0;                      // mean over the global micro-batches
  std::map<std::string, double> parts;  // likewise
  double grad_norm = 0;                 // before clipping
  std::int64_t tokens = 0;              // of all ranks
};

// Takes step number `step` (from 1) over micro-batches that are the same list on every rank; rank r
// computes those with number r modulo the world size. Collective over `world`.
// Error{numerical} if the loss or the gradient is not finite; the parameters are then unchanged.
StepReport training_step(BlockChain* chain, const Objective& objective, Hyperparameters hyper,
                         const std::vector<MicroBatch>& micro_batches, std::int64_t step,
                         const StepOptions& options, const HostGroup& world);

}  // namespace tofu
