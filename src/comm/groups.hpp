// Who shares what with whom: the shard group holds one copy of the model between its ranks; the
// replica group holds the same shard of every copy.
#pragma once

#include <memory>
#include <string>

#include "comm/communicator.hpp"
#include "comm/session.hpp"

namespace tofu {

struct Groups {
  std::unique_ptr<HostGroup> world;
  std::unique_ptr<Communicator> shard;
  std::unique_ptr<Communicator> replica;
};

enum class DeviceKind { cpu, cuda };

// shard_group "world": one copy over all ranks; "node": one copy inside each node (hybrid
// sharding). Collective over `world`. Error{usage} when nodes hold different numbers of ranks.
Groups make_groups(MPI_Comm world, const std::string& shard_group, DeviceKind device,
                   double timeout_seconds);

// This rank's number among the ranks of its node. Collective over `world`.
int node_local_rank(MPI_Comm world);

}  // namespace tofu
