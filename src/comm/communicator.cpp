#include "comm/communicator.hpp"

#include "base/error.hpp"

namespace tofu {

Pending::~Pending() {
  if (!complete_) return;
  try {
    complete_();
  } catch (const Error&) {
  }
}

void Pending::wait() {
  if (auto complete = std::exchange(complete_, nullptr)) complete();
}

Pending Communicator::all_reduce_sum(float* values, std::size_t count) {
  const std::size_t part_count = count / static_cast<std::size_t>(size_);
  float* part = values + part_count * static_cast<std::size_t>(rank_);
  reduce_scatter_sum(values, part, part_count).wait();
  return all_gather(part, values, part_count * sizeof(float));
}

#ifndef TOFU_MPI_CUDA
std::unique_ptr<Communicator> make_nccl_communicator(MPI_Comm, double) {
  fail(ErrorCategory::usage,
       "device=cuda: this program was built without CUDA; use device=cpu, or build against a "
       "libtorch with CUDA");
}
#endif

}  // namespace tofu
