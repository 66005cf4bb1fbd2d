// The MPI session of the process: starts and ends MPI, and sees to it that every rank ends with the
// same exit code and one rank speaks.
#pragma once

#include <mpi.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace tofu {

class MpiSession {
 public:
  // Starts MPI (or joins as the only rank when not started by a launcher).
  MpiSession(int* argc, char*** argv);
  ~MpiSession();
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;

  MPI_Comm world() const { return MPI_COMM_WORLD; }
  int rank() const { return rank_; }
  int size() const { return size_; }

  // Runs `job` and agrees on the outcome with the other ranks. When all ranks come to an end, the
  // lowest one that failed prints its message and all return its exit code. When a rank fails and
  // the others do not come to an end soon (they wait for it in a collective operation), it prints
  // its message and aborts all with its exit code.
  int run(const std::function<int()>& job);

 private:
  int agree(int exit_code, const std::string& message);

  MPI_Comm agreement_ = MPI_COMM_NULL;
  int rank_ = 0;
  int size_ = 1;
};

// The group of ranks that does a piece of work together on the host side: control messages, results
// and errors. All members are collective over the group.
class HostGroup {
 public:
  HostGroup(MPI_Comm group, double timeout_seconds);
  ~HostGroup();
  HostGroup(const HostGroup&) = delete;
  HostGroup& operator=(const HostGroup&) = delete;

  int rank() const { return rank_; }
  int size() const { return size_; }
  MPI_Comm comm() const { return comm_; }
  double timeout_seconds() const { return timeout_seconds_; }

  void barrier() const;
  // Sum over the ranks, added in rank order: the same bits whatever the timing.
  std::vector<double> sum(const std::vector<double>& values) const;
  double sum(double value) const { return sum(std::vector<double>{value})[0]; }
  double max(double value) const;
  // The strings of all ranks, in rank order, of any lengths.
  std::vector<std::string> all_gather(const std::string& own) const;
  std::string broadcast_from_root(const std::string& text) const;
  // Runs `work` on rank 0 alone; an Error thrown there is thrown on every rank.
  void on_root(const std::function<void()>& work) const;
  // Runs `work` on every rank; if any throws an Error, every rank throws that of the lowest.
  void together(const std::function<void()>& work) const;

 private:
  MPI_Comm comm_ = MPI_COMM_NULL;
  int rank_ = 0;
  int size_ = 1;
  double timeout_seconds_;
};

}  // namespace tofu
