// Agreement on errors: what one rank finds wrong, all ranks throw.
#pragma once

#include <mpi.h>

#include <functional>

namespace tofu {

// Runs `work` on this rank. Collective over `communicator`: if `work` throws an Error on any rank,
// every rank throws that of the lowest such rank. `work` must not leave a collective operation
// half-way. With MPI_COMM_NULL (one process, MPI perhaps not started) it is a plain call.
void run_together(MPI_Comm communicator, const std::function<void()>& work);

// The same with `work` on rank 0 alone.
void run_on_root(MPI_Comm communicator, const std::function<void()>& work);

// Throws Error{communication} with MPI's text unless `code` is MPI_SUCCESS.
void check_store_mpi(int code, const char* operation);

}  // namespace tofu
