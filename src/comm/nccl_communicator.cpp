// Compiled only with a CUDA libtorch. Every operation runs on a stream of its own, after the work
// that is queued on the current stream at the call, so that it overlaps with later computation.
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_runtime_api.h>
#include <nccl.h>

#include <chrono>
#include <thread>

#include "base/error.hpp"
#include "comm/communicator.hpp"
#include "comm/mpi_call.hpp"

namespace tofu {
namespace {

void check_nccl(ncclResult_t code, const char* operation) {
  if (code == ncclSuccess || code == ncclInProgress) return;
  fail(ErrorCategory::communication, "{}: NCCL: {}", operation, ncclGetErrorString(code));
}

void check_cuda(cudaError_t code, const char* operation) {
  if (code == cudaSuccess) return;
  fail(ErrorCategory::communication, "{}: CUDA: {}", operation, cudaGetErrorString(code));
}

class Event {
 public:
  Event() { check_cuda(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming), "event"); }
  ~Event() { cudaEventDestroy(event_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  void record(cudaStream_t stream) { check_cuda(cudaEventRecord(event_, stream), "event"); }
  void make_wait(cudaStream_t stream) const {
    check_cuda(cudaStreamWaitEvent(stream, event_, 0), "event");
  }
  bool reached() const {
    const cudaError_t state = cudaEventQuery(event_);
    if (state == cudaErrorNotReady) return false;
    check_cuda(state, "event");
    return true;
  }

 private:
  cudaEvent_t event_ = nullptr;
};

class NcclCommunicator final : public Communicator {
 public:
  NcclCommunicator(ncclComm_t comm, int rank, int size, double timeout_seconds)
      : Communicator(rank, size), comm_(comm), timeout_seconds_(timeout_seconds) {
    check_cuda(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "stream");
  }
  ~NcclCommunicator() override {
    if (comm_ != nullptr) ncclCommAbort(comm_);
    cudaStreamDestroy(stream_);
  }

  Pending all_gather(const void* part, void* whole, std::size_t bytes) override {
    return enqueue("all-gather",
                   [&] { return ncclAllGather(part, whole, bytes, ncclInt8, comm_, stream_); });
  }

  Pending reduce_scatter_sum(const float* whole, float* part, std::size_t count) override {
    return enqueue("reduce-scatter", [&] {
      return ncclReduceScatter(whole, part, count, ncclFloat, ncclSum, comm_, stream_);
    });
  }

 private:
  template <typename Operation>
  Pending enqueue(const char* name, Operation&& operation) {
    check_alive(name);
    Event ready;
    ready.record(c10::cuda::getCurrentCUDAStream());
    ready.make_wait(stream_);
    check_nccl(operation(), name);
    auto done = std::make_shared<Event>();
    done->record(stream_);
    // What is queued afterwards on the current stream waits on the GPU. The host waits as well once
    // the operation two before this one is late: the only way to notice a peer that is gone.
    wait_reached(last_.get(), name);
    last_ = done;
    return Pending([done] { done->make_wait(c10::cuda::getCurrentCUDAStream()); });
  }

  void wait_reached(const Event* event, const char* name) {
    if (event == nullptr) return;
    using Clock = std::chrono::steady_clock;
    const auto deadline = Clock::now() + std::chrono::duration<double>(timeout_seconds_);
    while (!event->reached()) {
      check_alive(name);
      if (Clock::now() > deadline) {
        abort();
        fail(ErrorCategory::communication,
             "{}: the other ranks did not answer within {:.0f} s (comm_timeout)", name,
             timeout_seconds_);
      }
      std::this_thread::yield();
    }
  }

  void check_alive(const char* name) {
    ncclResult_t state = ncclSuccess;
    check_nccl(ncclCommGetAsyncError(comm_, &state), name);
    if (state == ncclSuccess || state == ncclInProgress) return;
    abort();
    check_nccl(state, name);
  }

  // The only way out of a stuck NCCL operation.
  void abort() {
    ncclCommAbort(comm_);
    comm_ = nullptr;
  }

  ncclComm_t comm_;
  cudaStream_t stream_ = nullptr;
  std::shared_ptr<Event> last_;
  double timeout_seconds_;
};

}  // namespace

std::unique_ptr<Communicator> make_nccl_communicator(MPI_Comm group, double timeout_seconds) {
  int rank = 0;
  int size = 0;
  check_mpi(MPI_Comm_rank(group, &rank), "MPI_Comm_rank");
  check_mpi(MPI_Comm_size(group, &size), "MPI_Comm_size");
  ncclUniqueId id{};
  if (rank == 0) check_nccl(ncclGetUniqueId(&id), "ncclGetUniqueId");
  check_mpi(MPI_Bcast(&id, static_cast<int>(sizeof id), MPI_BYTE, 0, group), "MPI_Bcast");
  ncclComm_t comm = nullptr;
  check_nccl(ncclCommInitRank(&comm, size, id, rank), "ncclCommInitRank");
  return std::make_unique<NcclCommunicator>(comm, rank, size, timeout_seconds);
}

}  // namespace tofu
