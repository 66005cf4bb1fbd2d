#include "data/sampler.hpp"

#include <cstddef>
#include <numeric>
#include <utility>

#include "base/error.hpp"
#include "data/seeded_random.hpp"

namespace tofu {

namespace {

// Not std::shuffle, whose result the standard leaves to the library.
std::vector<std::int64_t> permutation(std::uint64_t seed, std::int64_t epoch, std::int64_t size) {
  std::mt19937_64 generator(mix({seed, static_cast<std::uint64_t>(epoch)}));
  std::vector<std::int64_t> order(static_cast<std::size_t>(size));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  for (std::int64_t last = size - 1; last > 0; --last) {
    const std::int64_t other = draw_below(generator, last + 1);
    std::swap(order[static_cast<std::size_t>(last)], order[static_cast<std::size_t>(other)]);
  }
  return order;
}

}  // namespace

std::vector<SampleDraw> global_batch_indices(std::uint64_t seed, std::int64_t step,
                                             std::int64_t global_batch_size,
                                             std::int64_t dataset_size) {
  if (dataset_size <= 0) {
    fail(ErrorCategory::input_data, "the data set has no samples to train on");
  }
  if (global_batch_size <= 0 || step < 0) {
    fail(ErrorCategory::usage,
         "step {} of global batches of {} samples: the batch needs at least one sample and the "
         "step cannot be negative",
         step, global_batch_size);
  }
  std::vector<SampleDraw> batch;
  batch.reserve(static_cast<std::size_t>(global_batch_size));
  std::vector<std::int64_t> order;
  const std::int64_t first = step * global_batch_size;
  for (std::int64_t place = first; place < first + global_batch_size; ++place) {
    const std::int64_t epoch = place / dataset_size;
    if (place == first || place % dataset_size == 0) order = permutation(seed, epoch, dataset_size);
    batch.push_back({epoch, order[static_cast<std::size_t>(place % dataset_size)]});
  }
  return batch;
}

}  // namespace tofu
