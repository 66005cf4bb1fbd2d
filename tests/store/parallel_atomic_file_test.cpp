#include <gtest/gtest.h>
#include <mpi.h>

#include <filesystem>
#include <string>

#include "store/atomic_file.hpp"
#include "store/file_test_support.hpp"

namespace tofu {
namespace {

namespace fs = std::filesystem;

TEST(ParallelAtomicPath, AllRanksWriteToOneNameAndRankZeroRenames) {
  int rank = 0;
  int size = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  // Rank 0's process number, for a name that all ranks of this run share.
  int process = static_cast<int>(::getpid());
  MPI_Bcast(&process, 1, MPI_INT, 0, MPI_COMM_WORLD);
  const fs::path final_path =
      fs::temp_directory_path() / ("tofu_mpi_test_atomic_" + std::to_string(process));
  {
    const AtomicPath abandoned(final_path, MPI_COMM_WORLD);
    if (rank == 0) fs::create_directory(abandoned.path());
    MPI_Barrier(MPI_COMM_WORLD);
    test::write_bytes(abandoned.path() / std::to_string(rank), "x");
    MPI_Barrier(MPI_COMM_WORLD);
  }
  MPI_Barrier(MPI_COMM_WORLD);
  EXPECT_FALSE(fs::exists(final_path));

  AtomicPath target(final_path, MPI_COMM_WORLD);
  if (rank == 0) fs::create_directory(target.path());
  MPI_Barrier(MPI_COMM_WORLD);
  test::write_bytes(target.path() / std::to_string(rank), "x");
  target.commit();
  EXPECT_EQ(test::names_in(final_path).size(), static_cast<std::size_t>(size));
  MPI_Barrier(MPI_COMM_WORLD);
  if (rank == 0) fs::remove_all(final_path);

  AtomicPath nothing(final_path, MPI_COMM_WORLD);
  test::expect_error(ErrorCategory::file_system, {"No such file"}, [&] { nothing.commit(); });
}

}  // namespace
}  // namespace tofu
