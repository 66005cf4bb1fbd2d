#include "model/packed_batch.hpp"

namespace tofu {

PackedBatch pack_sequences(const std::vector<std::vector<std::int64_t>>& sequences,
                           at::Device device) {
  std::vector<std::int64_t> ids;
  std::vector<std::int64_t> positions;
  PackedBatch batch;
  for (const auto& sequence : sequences) {
    ids.insert(ids.end(), sequence.begin(), sequence.end());
    const auto length = static_cast<std::int64_t>(sequence.size());
    for (std::int64_t position = 0; position < length; ++position) positions.push_back(position);
    batch.lengths.push_back(length);
  }
  batch.ids_N = at::tensor(ids, at::kLong).to(device);
  batch.positions_N = at::tensor(positions, at::kLong).to(device);
  return batch;
}

}  // namespace tofu
