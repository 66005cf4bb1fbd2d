#include <algorithm>
#include <array>
#include <climits>
#include <cstring>
#include <memory>
#include <vector>

#include "base/error.hpp"
#include "comm/communicator.hpp"
#include "comm/mpi_call.hpp"

namespace tofu {
namespace {

// MPI counts are int: a size beyond that is given in blocks of this many bytes.
constexpr std::size_t kBlockBytes = 4096;

class MpiCommunicator final : public Communicator {
 public:
  MpiCommunicator(MPI_Comm comm, int rank, int size, double timeout_seconds)
      : Communicator(rank, size), comm_(comm), timeout_seconds_(timeout_seconds) {
    check_mpi(MPI_Type_contiguous(kBlockBytes, MPI_BYTE, &block_), "MPI_Type_contiguous");
    check_mpi(MPI_Type_commit(&block_), "MPI_Type_commit");
  }

  ~MpiCommunicator() override {
    int finalized = 0;
    MPI_Finalized(&finalized);
    if (finalized != 0) return;
    MPI_Type_free(&block_);
    MPI_Comm_free(&comm_);
  }

  Pending all_gather(const void* part, void* whole, std::size_t bytes) override {
    if (size() == 1) {
      if (part != whole) std::memcpy(whole, part, bytes);
      return Pending();
    }
    const bool in_place =
        part == static_cast<char*>(whole) + bytes * static_cast<std::size_t>(rank());
    const auto [type, count] = type_and_count(bytes);
    auto request = std::make_shared<MPI_Request>(MPI_REQUEST_NULL);
    check_mpi(MPI_Iallgather(in_place ? MPI_IN_PLACE : part, count, type, whole, count, type, comm_,
                             request.get()),
              "all-gather");
    return Pending([request, timeout = timeout_seconds_] {
      wait_all(request.get(), 1, timeout, "all-gather");
    });
  }

  Pending reduce_scatter_sum(const float* whole, float* part, std::size_t count) override {
    if (size() == 1) {
      if (part != whole) std::memcpy(part, whole, count * sizeof(float));
      return Pending();
    }
    // Direct exchange of the parts: as little traffic as a reduce-scatter can have, and the order
    // of the sum is ours to fix.
    const auto peers = static_cast<std::size_t>(size());
    auto exchange = std::make_shared<Exchange>();
    exchange->received = std::make_unique_for_overwrite<float[]>((peers - 1) * count);
    exchange->parts.resize(peers);
    const auto [type, message_count] = type_and_count(count * sizeof(float));
    float* next = exchange->received.get();
    for (int peer = 0; peer < size(); ++peer) {
      const float* to_send = whole + static_cast<std::size_t>(peer) * count;
      exchange->parts[static_cast<std::size_t>(peer)] = peer == rank() ? to_send : next;
      if (peer == rank()) continue;
      exchange->requests.emplace_back();
      check_mpi(MPI_Irecv(next, message_count, type, peer, 0, comm_, &exchange->requests.back()),
                "reduce-scatter");
      exchange->requests.emplace_back();
      check_mpi(MPI_Isend(to_send, message_count, type, peer, 0, comm_, &exchange->requests.back()),
                "reduce-scatter");
      next += count;
    }
    return Pending([exchange, part, count, timeout = timeout_seconds_] {
      wait_all(exchange->requests.data(), static_cast<int>(exchange->requests.size()), timeout,
               "reduce-scatter");
      add_parts(exchange->parts, part, count);
    });
  }

 private:
  struct Exchange {
    std::unique_ptr<float[]> received;
    std::vector<const float*> parts;  // of each rank, the own one in place
    std::vector<MPI_Request> requests;
  };

  // Sum of `parts` into `sum`, which may be one of them. In pieces that stay in the cache.
  static void add_parts(const std::vector<const float*>& parts, float* sum, std::size_t count) {
    constexpr std::size_t kPiece = 2048;
    std::array<float, kPiece> piece;
    for (std::size_t first = 0; first < count; first += kPiece) {
      const std::size_t length = std::min(kPiece, count - first);
      std::copy_n(parts[0] + first, length, piece.data());
      for (std::size_t peer = 1; peer < parts.size(); ++peer) {
        const float* values = parts[peer] + first;
        for (std::size_t i = 0; i < length; ++i) piece[i] += values[i];
      }
      std::copy_n(piece.data(), length, sum + first);
    }
  }

  std::pair<MPI_Datatype, int> type_and_count(std::size_t bytes) const {
    if (bytes <= INT_MAX) return {MPI_BYTE, static_cast<int>(bytes)};
    if (bytes % kBlockBytes == 0 && bytes / kBlockBytes <= INT_MAX) {
      return {block_, static_cast<int>(bytes / kBlockBytes)};
    }
    fail(ErrorCategory::communication,
         "a message of {} bytes is too long for MPI: use more ranks in the shard group", bytes);
  }

  MPI_Comm comm_;
  MPI_Datatype block_ = MPI_DATATYPE_NULL;
  double timeout_seconds_;
};

}  // namespace

std::unique_ptr<Communicator> make_mpi_communicator(MPI_Comm group, double timeout_seconds) {
  MPI_Comm comm = MPI_COMM_NULL;
  check_mpi(MPI_Comm_dup(group, &comm), "MPI_Comm_dup");
  check_mpi(MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  int rank = 0;
  int size = 0;
  check_mpi(MPI_Comm_rank(comm, &rank), "MPI_Comm_rank");
  check_mpi(MPI_Comm_size(comm, &size), "MPI_Comm_size");
  return std::make_unique<MpiCommunicator>(comm, rank, size, timeout_seconds);
}

}  // namespace tofu
