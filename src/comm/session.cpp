#include "comm/session.hpp"

#include <algorithm>
#include <exception>

#include "base/error.hpp"
#include "base/log.hpp"
#include "comm/mpi_call.hpp"

namespace tofu {
namespace {

// How long a failed rank waits for the others to fail or finish too before it aborts them.
constexpr double kGraceSeconds = 5;
// How long a rank that is done waits for the others: they end with it unless they hang.
constexpr double kFinishSeconds = 3600;
constexpr int kInternalErrorCode = 1;

}  // namespace

MpiSession::MpiSession(int* argc, char*** argv) {
  int provided = 0;
  check_mpi(MPI_Init_thread(argc, argv, MPI_THREAD_MULTIPLE, &provided), "MPI_Init_thread");
  check_mpi(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  check_mpi(MPI_Comm_rank(MPI_COMM_WORLD, &rank_), "MPI_Comm_rank");
  check_mpi(MPI_Comm_size(MPI_COMM_WORLD, &size_), "MPI_Comm_size");
  check_mpi(MPI_Comm_dup(MPI_COMM_WORLD, &agreement_), "MPI_Comm_dup");
  set_log_rank(rank_, size_);
}

MpiSession::~MpiSession() {
  MPI_Comm_free(&agreement_);
  MPI_Finalize();
}

int MpiSession::run(const std::function<int()>& job) {
  try {
    return agree(job(), "");
  } catch (const Error& error) {
    return agree(error.exit_code(), error.what());
  } catch (const std::filesystem::filesystem_error& raised) {
    const Error error = as_error(raised);
    return agree(error.exit_code(), error.what());
  } catch (const std::bad_alloc&) {
    return agree(kInternalErrorCode,
                 "out of memory: use more ranks, a higher zero_stage, or a smaller batch_size");
  } catch (const std::exception& error) {
    return agree(kInternalErrorCode, std::string("internal error: ") + error.what());
  }
}

int MpiSession::agree(int exit_code, const std::string& message) {
  std::vector<int> codes(static_cast<std::size_t>(size_), 0);
  const bool failed = !message.empty();
  MPI_Request request = MPI_REQUEST_NULL;
  try {
    check_mpi(
        MPI_Iallgather(&exit_code, 1, MPI_INT, codes.data(), 1, MPI_INT, agreement_, &request),
        "agreement at the end");
    wait_all(&request, 1, failed ? kGraceSeconds : kFinishSeconds, "agreement at the end");
  } catch (const Error& error) {
    log_error(failed ? message : error.what());
    MPI_Abort(MPI_COMM_WORLD, failed ? exit_code : error.exit_code());
  }
  const auto first = std::find_if(codes.begin(), codes.end(), [](int code) { return code != 0; });
  if (first == codes.end()) return 0;
  if (first - codes.begin() == rank_ && failed) log_error(message);
  return *first;
}

HostGroup::HostGroup(MPI_Comm group, double timeout_seconds) : timeout_seconds_(timeout_seconds) {
  check_mpi(MPI_Comm_dup(group, &comm_), "MPI_Comm_dup");
  check_mpi(MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  check_mpi(MPI_Comm_rank(comm_, &rank_), "MPI_Comm_rank");
  check_mpi(MPI_Comm_size(comm_, &size_), "MPI_Comm_size");
}

HostGroup::~HostGroup() {
  MPI_Comm_free(&comm_);
}

void HostGroup::barrier() const {
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Ibarrier(comm_, &request), "barrier");
  wait_all(&request, 1, timeout_seconds_, "barrier");
}

std::vector<double> HostGroup::sum(const std::vector<double>& values) const {
  const std::size_t count = values.size();
  std::vector<double> all(count * static_cast<std::size_t>(size_));
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Iallgather(values.data(), static_cast<int>(count), MPI_DOUBLE, all.data(),
                           static_cast<int>(count), MPI_DOUBLE, comm_, &request),
            "sum");
  wait_all(&request, 1, timeout_seconds_, "sum");
  std::vector<double> total(count, 0.0);
  for (std::size_t i = 0; i < all.size(); ++i) total[i % count] += all[i];
  return total;
}

double HostGroup::max(double value) const {
  MPI_Request request = MPI_REQUEST_NULL;
  double result = value;
  check_mpi(MPI_Iallreduce(&value, &result, 1, MPI_DOUBLE, MPI_MAX, comm_, &request), "max");
  wait_all(&request, 1, timeout_seconds_, "max");
  return result;
}

std::vector<std::string> HostGroup::all_gather(const std::string& own) const {
  const auto ranks = static_cast<std::size_t>(size_);
  std::vector<int> lengths(ranks);
  const int own_length = static_cast<int>(own.size());
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Iallgather(&own_length, 1, MPI_INT, lengths.data(), 1, MPI_INT, comm_, &request),
            "gathering results");
  wait_all(&request, 1, timeout_seconds_, "gathering results");
  std::vector<int> offsets(ranks, 0);
  for (std::size_t r = 1; r < ranks; ++r) offsets[r] = offsets[r - 1] + lengths[r - 1];
  std::string all(static_cast<std::size_t>(offsets.back() + lengths.back()), '\0');
  check_mpi(MPI_Iallgatherv(own.data(), own_length, MPI_BYTE, all.data(), lengths.data(),
                            offsets.data(), MPI_BYTE, comm_, &request),
            "gathering results");
  wait_all(&request, 1, timeout_seconds_, "gathering results");
  std::vector<std::string> texts;
  for (std::size_t r = 0; r < ranks; ++r) {
    texts.push_back(
        all.substr(static_cast<std::size_t>(offsets[r]), static_cast<std::size_t>(lengths[r])));
  }
  return texts;
}

std::string HostGroup::broadcast_from_root(const std::string& text) const {
  return all_gather(rank_ == 0 ? text : std::string())[0];
}

void HostGroup::on_root(const std::function<void()>& work) const {
  together([&] {
    if (rank_ == 0) work();
  });
}

void HostGroup::together(const std::function<void()>& work) const {
  // One byte of category in front of the message; nothing where all went well.
  std::string outcome;
  const auto note = [&](const Error& error) {
    outcome = std::string(1, static_cast<char>(error.exit_code())) + error.what();
  };
  try {
    work();
  } catch (const Error& error) {
    note(error);
  } catch (const std::filesystem::filesystem_error& error) {
    note(as_error(error));
  }
  for (const std::string& other : all_gather(outcome)) {
    if (!other.empty()) throw Error(static_cast<ErrorCategory>(other[0]), other.substr(1));
  }
}

}  // namespace tofu
