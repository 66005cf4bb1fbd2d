#include "store/together.hpp"

#include <climits>
#include <cstdint>
#include <optional>
#include <string>

#include "base/error.hpp"

namespace tofu {
namespace {

std::optional<Error> error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error;
  } catch (const std::filesystem::filesystem_error& error) {
    return as_error(error);
  }
  return std::nullopt;
}

// Collective: throws the error of the lowest rank that has one.
void throw_lowest(MPI_Comm communicator, const std::optional<Error>& own) {
  int rank = 0;
  check_store_mpi(MPI_Comm_rank(communicator, &rank), "MPI_Comm_rank");
  int failing = own ? rank : INT_MAX;
  check_store_mpi(MPI_Allreduce(MPI_IN_PLACE, &failing, 1, MPI_INT, MPI_MIN, communicator),
                  "MPI_Allreduce");
  if (failing == INT_MAX) return;
  std::string message = own && rank == failing ? own->what() : "";
  int header[2] = {own ? own->exit_code() : 0, static_cast<int>(message.size())};
  check_store_mpi(MPI_Bcast(header, 2, MPI_INT, failing, communicator), "MPI_Bcast");
  message.resize(static_cast<std::size_t>(header[1]));
  check_store_mpi(MPI_Bcast(message.data(), header[1], MPI_CHAR, failing, communicator),
                  "MPI_Bcast");
  throw Error(static_cast<ErrorCategory>(header[0]), message);
}

}  // namespace

void run_together(MPI_Comm communicator, const std::function<void()>& work) {
  if (communicator == MPI_COMM_NULL) {
    work();
    return;
  }
  throw_lowest(communicator, error_of(work));
}

void run_on_root(MPI_Comm communicator, const std::function<void()>& work) {
  int rank = 0;
  if (communicator != MPI_COMM_NULL) {
    check_store_mpi(MPI_Comm_rank(communicator, &rank), "MPI_Comm_rank");
  }
  run_together(
      communicator, rank == 0 ? work : [] {});
}

void check_store_mpi(int code, const char* operation) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  MPI_Error_string(code, text, &length);
  fail(ErrorCategory::communication, "{}: {}", operation, std::string(text, text + length));
}

}  // namespace tofu
