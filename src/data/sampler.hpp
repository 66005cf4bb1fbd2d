// The order in which samples are trained on: a function of the seed and the step alone, so that any
// number of ranks sees the same global batches.
#pragma once

#include <cstdint>
#include <vector>

namespace tofu {

struct SampleDraw {
  std::int64_t epoch = 0;  // how often the data set had been gone through before
  std::int64_t index = 0;  // 0 .. dataset_size - 1
  bool operator==(const SampleDraw&) const = default;
};

// The samples of global batch `step` (from 0). The stream of samples is one permutation of the data
// set after another, one per epoch; step s takes its entries [s G, (s+1) G). A permutation is
// Fisher-Yates over std::mt19937_64 seeded with mix({seed, epoch}).
// Error{input_data} for an empty data set, Error{usage} for an empty batch or a negative step.
std::vector<SampleDraw> global_batch_indices(std::uint64_t seed, std::int64_t step,
                                             std::int64_t global_batch_size,
                                             std::int64_t dataset_size);

}  // namespace tofu
