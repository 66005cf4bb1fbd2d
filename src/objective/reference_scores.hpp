// Scores of the reference model, which never change during unlearning: computed once, spread over
// the ranks, so that the reference model can be let go before training starts.
#pragma once

#include <vector>

#include "comm/session.hpp"
#include "objective/labelled_set.hpp"

namespace tofu {

// The scores of every sample, on every rank, in the samples' order. Collective over `group`, which
// is the chain's world.
std::vector<ReferenceScores> score_references(BlockChain* chain,
                                              const std::vector<const Sample*>& samples,
                                              const HostGroup& group);

// The distributions of every sample, on every rank, in the samples' order, each sample padded to
// `padded_length` (0: not). Collective over `group`.
ReferenceDistributions reference_distributions(BlockChain* chain,
                                               const std::vector<const Sample*>& samples,
                                               std::int64_t padded_length, const HostGroup& group);

}  // namespace tofu
