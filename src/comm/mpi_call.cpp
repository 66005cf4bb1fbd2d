#include "comm/mpi_call.hpp"

#include <sched.h>
#include <unistd.h>

#include <chrono>
#include <string>

#include "base/error.hpp"

namespace tofu {

void check_mpi(int code, const char* operation) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  MPI_Error_string(code, text, &length);
  fail(ErrorCategory::communication, "{}: {}", operation,
       std::string(text, static_cast<std::size_t>(length)));
}

void wait_all(MPI_Request* requests, int count, double timeout_seconds, const char* operation) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  // Testing (not waiting) keeps MPI's progress going and lets a missing peer be noticed. The first
  // rounds only yield, which is quick when the peer is near; later ones sleep, so that ranks which
  // share a core do not take it from the one that still computes.
  for (long round = 0;; ++round) {
    int done = 0;
    check_mpi(MPI_Testall(count, requests, &done, MPI_STATUSES_IGNORE), operation);
    if (done != 0) return;
    if (round < 200) {
      sched_yield();
      continue;
    }
    usleep(50);
    const std::chrono::duration<double> waited = Clock::now() - start;
    if (waited.count() > timeout_seconds) {
      fail(ErrorCategory::communication,
           "{}: the other ranks did not answer within {:.0f} s (comm_timeout); see their messages, "
           "or raise comm_timeout if they were only slow",
           operation, timeout_seconds);
    }
  }
}

}  // namespace tofu
