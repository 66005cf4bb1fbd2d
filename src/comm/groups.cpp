#include "comm/groups.hpp"

#include "base/error.hpp"
#include "comm/mpi_call.hpp"

namespace tofu {
namespace {

// A communicator made by splitting, freed at the end of the scope.
class SplitComm {
 public:
  SplitComm(MPI_Comm parent, int color, int key) {
    check_mpi(MPI_Comm_split(parent, color, key, &comm_), "MPI_Comm_split");
  }
  static SplitComm by_node(MPI_Comm parent) {
    SplitComm split;
    check_mpi(MPI_Comm_split_type(parent, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &split.comm_),
              "MPI_Comm_split_type");
    return split;
  }
  SplitComm(SplitComm&& other) noexcept : comm_(std::exchange(other.comm_, MPI_COMM_NULL)) {}
  SplitComm& operator=(SplitComm&&) = delete;
  ~SplitComm() {
    if (comm_ != MPI_COMM_NULL) MPI_Comm_free(&comm_);
  }

  MPI_Comm get() const { return comm_; }
  int rank() const {
    int rank = 0;
    check_mpi(MPI_Comm_rank(comm_, &rank), "MPI_Comm_rank");
    return rank;
  }
  int size() const {
    int size = 0;
    check_mpi(MPI_Comm_size(comm_, &size), "MPI_Comm_size");
    return size;
  }

 private:
  SplitComm() = default;
  MPI_Comm comm_ = MPI_COMM_NULL;
};

std::unique_ptr<Communicator> make_communicator(MPI_Comm group, DeviceKind device, double timeout) {
  return device == DeviceKind::cuda ? make_nccl_communicator(group, timeout)
                                    : make_mpi_communicator(group, timeout);
}

}  // namespace

int node_local_rank(MPI_Comm world) {
  return SplitComm::by_node(world).rank();
}

Groups make_groups(MPI_Comm world, const std::string& shard_group, DeviceKind device,
                   double timeout_seconds) {
  Groups groups;
  groups.world = std::make_unique<HostGroup>(world, timeout_seconds);
  const int rank = groups.world->rank();
  const bool by_node = shard_group == "node";
  const SplitComm shard = by_node ? SplitComm::by_node(world) : SplitComm(world, 0, rank);
  if (groups.world->max(shard.size()) != -groups.world->max(-shard.size())) {
    fail(ErrorCategory::usage,
         "shard_group=node needs the same number of ranks on every node (this one has {}): start "
         "the job so, or use shard_group=world",
         shard.size());
  }
  const SplitComm replica(world, shard.rank(), rank);
  groups.shard = make_communicator(shard.get(), device, timeout_seconds);
  groups.replica = make_communicator(replica.get(), device, timeout_seconds);
  return groups;
}

}  // namespace tofu
