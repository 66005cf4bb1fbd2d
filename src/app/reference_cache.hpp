// The reference model's scores, kept in the run's folder: computed once for a model and its
// samples, also when a job is resumed after the policy has moved on.
#pragma once

#include <string>
#include <vector>

#include "app/job.hpp"
#include "train/training_set.hpp"

namespace tofu {

// The scores of data.reference_samples(): read from the cache in job.save_dir if there are some for
// this model, data and precision, else computed with `chain` and stored. Collective.
std::vector<ReferenceScores> cached_reference_scores(const JobConfig& job, BlockChain* chain,
                                                     const TrainingSet& data,
                                                     const std::string& model_digest,
                                                     const HostGroup& world);

}  // namespace tofu
