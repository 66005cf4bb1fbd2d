// Turns an MPI return code into an Error.
#pragma once

#include <mpi.h>

namespace tofu {

// Throws Error{communication} with MPI's own text unless `code` is MPI_SUCCESS.
void check_mpi(int code, const char* operation);

// Waits until all of `count` requests are complete. Throws Error{communication} after
// `timeout_seconds`: some other rank has stopped taking part.
void wait_all(MPI_Request* requests, int count, double timeout_seconds, const char* operation);

}  // namespace tofu
