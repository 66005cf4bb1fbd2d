// Collective operations over a group of ranks, the same for CPU memory (MPI) and GPU memory (NCCL).
// Every operation must be called by all ranks of the group in the same order.
#pragma once

#include <mpi.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>

namespace tofu {

// An operation under way. Its buffers must stay alive and untouched until wait() has returned.
// An unfinished operation that is destroyed is waited for, errors ignored: by then one is being
// thrown already.
class Pending {
 public:
  Pending() = default;
  explicit Pending(std::function<void()> complete) : complete_(std::move(complete)) {}
  Pending(Pending&& other) noexcept : complete_(std::exchange(other.complete_, nullptr)) {}
  Pending& operator=(Pending&& other) noexcept {
    complete_.swap(other.complete_);
    return *this;
  }
  ~Pending();

  // Returns when the result may be used: by the host for MPI, by work that is queued on the current
  // CUDA stream afterwards for NCCL.
  void wait();

 private:
  std::function<void()> complete_;
};

class Communicator {
 public:
  virtual ~Communicator() = default;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  int rank() const { return rank_; }
  int size() const { return size_; }

  // Each rank gives `bytes` bytes; `whole` receives size() * bytes, in rank order. `part` may lie
  // inside `whole` at its own place.
  virtual Pending all_gather(const void* part, void* whole, std::size_t bytes) = 0;

  // `whole` holds size() parts of `count` values; `part` receives the sum over the ranks of the
  // part with this rank's number. Summed in rank order, so that the bits do not depend on timing.
  virtual Pending reduce_scatter_sum(const float* whole, float* part, std::size_t count) = 0;

  // Sums `count` values over the ranks in place. `count` is a multiple of size().
  Pending all_reduce_sum(float* values, std::size_t count);

 protected:
  Communicator(int rank, int size) : rank_(rank), size_(size) {}

 private:
  int rank_;
  int size_;
};

// Communicator for host memory over a duplicate of `group`. Collective over `group`.
std::unique_ptr<Communicator> make_mpi_communicator(MPI_Comm group, double timeout_seconds);

// Communicator for the memory of the current CUDA device; the NCCL identifier travels over `group`.
// Collective over `group`. Error{usage} in a build without CUDA.
std::unique_ptr<Communicator> make_nccl_communicator(MPI_Comm group, double timeout_seconds);

}  // namespace tofu
