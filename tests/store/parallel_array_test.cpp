#include <gtest/gtest.h>
#include <mpi.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "store/file_test_support.hpp"
#include "store/hdf5_array.hpp"
#include "store/together.hpp"

namespace tofu {
namespace {

namespace fs = std::filesystem;
using test::expect_error;

int world_rank() {
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return rank;
}

int world_size() {
  int size = 0;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  return size;
}

// One folder for all ranks, made and removed by rank 0.
class ParallelArray : public testing::Test {
 protected:
  void SetUp() override {
    std::string name(4096, '\0');
    if (world_rank() == 0) {
      folder_ = std::make_unique<test::TemporaryFolder>();
      name.replace(0, folder_->path().string().size(), folder_->path().string());
    }
    MPI_Bcast(name.data(), static_cast<int>(name.size()), MPI_CHAR, 0, MPI_COMM_WORLD);
    path_ = fs::path(name.c_str()) / "checkpoint.h5";
  }
  void TearDown() override {
    MPI_Barrier(MPI_COMM_WORLD);
    folder_.reset();
  }

  std::unique_ptr<test::TemporaryFolder> folder_;  // on rank 0
  fs::path path_;
};

// Where each rank's part begins, and where the last one ends.
using Split = std::function<std::vector<std::int64_t>(std::int64_t total, int ranks)>;

std::vector<std::int64_t> even_split(std::int64_t total, int ranks) {
  std::vector<std::int64_t> begins;
  for (int rank = 0; rank <= ranks; ++rank) begins.push_back(total * rank / ranks);
  return begins;
}

// Rank 0 holds nothing, the others parts that grow.
std::vector<std::int64_t> uneven_split(std::int64_t total, int ranks) {
  std::vector<std::int64_t> begins(static_cast<std::size_t>(ranks) + 1, 0);
  for (int rank = 1; rank < ranks; ++rank) {
    begins[static_cast<std::size_t>(rank)] = total * rank * (rank - 1) / (ranks * ranks);
  }
  begins.back() = total;
  return begins;
}

std::vector<std::int64_t> all_on_rank_zero(std::int64_t total, int ranks) {
  std::vector<std::int64_t> begins(static_cast<std::size_t>(ranks) + 1, total);
  begins[0] = 0;
  return begins;
}

ArrayPart part_of(const std::string& name, const std::vector<std::int64_t>& shape, DataType type,
                  const Split& split) {
  const auto begins = split(element_count(shape, name), world_size());
  const auto rank = static_cast<std::size_t>(world_rank());
  return {name, shape, type, begins[rank], begins[rank + 1] - begins[rank]};
}

// Bytes that differ from element to element, those of the part.
std::vector<std::uint8_t> content_of(const ArrayPart& part) {
  const auto size = static_cast<std::int64_t>(byte_size(part.type));
  std::vector<std::uint8_t> bytes;
  for (std::int64_t i = part.first * size; i < (part.first + part.count) * size; ++i) {
    bytes.push_back(static_cast<std::uint8_t>(i * 31 + i / 251));
  }
  return bytes;
}

TEST_F(ParallelArray, ComesBackInOtherParts) {
  const std::vector<std::vector<std::int64_t>> shapes = {{1},     {1000}, {7, 13}, {1, 97},
                                                         {64, 1}, {0},    {5, 0}};
  const std::vector<Split> splits = {even_split, uneven_split, all_on_rank_zero};
  const std::vector<DataType> types = {DataType::bf16, DataType::f32, DataType::i64, DataType::u8,
                                       DataType::f16};
  for (const std::int64_t bytes_per_call : {kBytesPerCall, std::int64_t{40}}) {
    Hdf5File written = Hdf5File::create(path_, MPI_COMM_WORLD);
    for (std::size_t s = 0; s < shapes.size(); ++s) {
      const ArrayPart part = part_of("/parameters/" + std::to_string(s), shapes[s],
                                     types[s % types.size()], splits[s % splits.size()]);
      write_array_part(written, part, content_of(part).data(), bytes_per_call);
    }
    written.close();

    Hdf5File file = Hdf5File::open(path_, MPI_COMM_WORLD);
    for (std::size_t s = 0; s < shapes.size(); ++s) {
      for (const Split& split : splits) {
        const ArrayPart part =
            part_of("/parameters/" + std::to_string(s), shapes[s], types[s % types.size()], split);
        std::vector<std::uint8_t> bytes(static_cast<std::size_t>(part.count) *
                                        byte_size(part.type));
        read_array_part(file, part, bytes.data(), bytes_per_call);
        EXPECT_EQ(bytes, content_of(part)) << "shape " << shape_text(shapes[s]);
      }
    }
    file.close();

    // One process without MPI-IO reads the same.
    const Hdf5File serial = Hdf5File::open(path_);
    EXPECT_EQ(list_arrays(serial, "/").size(), shapes.size());
    const ArrayPart whole{"/parameters/2", {7, 13}, types[2], 0, 91};
    std::vector<std::uint8_t> bytes(91 * byte_size(types[2]));
    read_array_part(serial, whole, bytes.data());
    EXPECT_EQ(bytes, content_of(whole));
    MPI_Barrier(MPI_COMM_WORLD);
  }
}

TEST_F(ParallelArray, IsTheSameFileWhateverTheParts) {
  std::vector<std::uint64_t> checksums;
  for (const Split& split : {Split(even_split), Split(uneven_split), Split(all_on_rank_zero)}) {
    Hdf5File file = Hdf5File::create(path_, MPI_COMM_WORLD);
    const ArrayPart part = part_of("w", {31, 17}, DataType::f32, split);
    write_array_part(file, part, content_of(part).data());
    checksums.push_back(read_uint_attribute(file, "w", "checksum"));
    file.close();
  }
  EXPECT_EQ(checksums[0], checksums[1]);
  EXPECT_EQ(checksums[0], checksums[2]);
}

TEST_F(ParallelArray, DamageIsReportedOnEveryRank) {
  const ArrayPart part = part_of("/w", {100}, DataType::u8, even_split);
  Hdf5File written = Hdf5File::create(path_, MPI_COMM_WORLD);
  write_array_part(written, part, content_of(part).data());
  written.close();
  if (world_rank() == 0) {
    const auto bytes = content_of({"/w", {100}, DataType::u8, 80, 20});  // in the last rank's part
    test::damage_bytes(path_, std::string(bytes.begin(), bytes.end()));
  }
  MPI_Barrier(MPI_COMM_WORLD);
  Hdf5File file = Hdf5File::open(path_, MPI_COMM_WORLD);
  std::vector<std::uint8_t> bytes(100);
  expect_error(ErrorCategory::input_data, {"checkpoint.h5", "/w", "damaged"},
               [&] { read_array_part(file, part, bytes.data()); });
  file.close();
}

TEST_F(ParallelArray, MissingAndForeignThingsAreReportedOnEveryRank) {
  expect_error(ErrorCategory::file_system, {"checkpoint.h5", "No such file"},
               [&] { Hdf5File::open(path_, MPI_COMM_WORLD); });
  expect_error(ErrorCategory::file_system, {"absent", "No such file"},
               [&] { Hdf5File::create(path_.parent_path() / "absent" / "a.h5", MPI_COMM_WORLD); });
  const ArrayPart part = part_of("/w", {4, 25}, DataType::f32, even_split);
  Hdf5File written = Hdf5File::create(path_, MPI_COMM_WORLD);
  write_array_part(written, part, content_of(part).data());
  written.close();

  Hdf5File file = Hdf5File::open(path_, MPI_COMM_WORLD);
  std::vector<float> data(100);
  expect_error(ErrorCategory::input_data, {"/v", "no such dataset"}, [&] {
    read_array_part(file, part_of("/v", {100}, DataType::f32, even_split), data.data());
  });
  expect_error(ErrorCategory::input_data, {"/w", "F32 [4, 25]", "F32 [100]"}, [&] {
    read_array_part(file, part_of("/w", {100}, DataType::f32, even_split), data.data());
  });
  // A part of one rank alone that is wrong is every rank's error.
  ArrayPart wrong = part;
  if (world_rank() == world_size() - 1) wrong.count += 1;
  expect_error(ErrorCategory::input_data, {"/w", "outside"},
               [&] { read_array_part(file, wrong, data.data()); });
  wrong = part;
  if (world_rank() == 0) wrong.count -= 1;
  expect_error(ErrorCategory::input_data, {"99 of 100 elements"},
               [&] { read_array_part(file, wrong, data.data()); });
  file.close();

  MPI_Barrier(MPI_COMM_WORLD);
  if (world_rank() == 0) fs::resize_file(path_, fs::file_size(path_) / 2);
  MPI_Barrier(MPI_COMM_WORLD);
  expect_error(ErrorCategory::input_data, {"checkpoint.h5", "damaged or incomplete"},
               [&] { Hdf5File::open(path_, MPI_COMM_WORLD); });
}

TEST_F(ParallelArray, AttributesAreWrittenTogether) {
  Hdf5File written = Hdf5File::create(path_, MPI_COMM_WORLD);
  write_string_attribute(written, "/", "configuration", std::string(70'000, 'c'));
  write_int_attribute(written, "/", "ranks", world_size());
  written.close();
  Hdf5File file = Hdf5File::open(path_, MPI_COMM_WORLD);
  EXPECT_EQ(read_string_attribute(file, "/", "configuration").size(), 70'000U);
  EXPECT_EQ(read_int_attribute(file, "/", "ranks"), world_size());
  file.close();
}

TEST(Together, TheLowestFailingRankIsHeardEverywhere) {
  EXPECT_NO_THROW(run_together(MPI_COMM_WORLD, [] {}));
  const int last = world_size() - 1;
  expect_error(ErrorCategory::numerical, {"rank " + std::to_string(last)}, [&] {
    run_together(MPI_COMM_WORLD, [&] {
      if (world_rank() == last) fail(ErrorCategory::numerical, "rank {}", last);
    });
  });
  expect_error(ErrorCategory::usage, {"rank 0"}, [&] {
    run_together(MPI_COMM_WORLD, [] { fail(ErrorCategory::usage, "rank {}", world_rank()); });
  });
  expect_error(ErrorCategory::file_system, {"root 0"}, [&] {
    run_on_root(MPI_COMM_WORLD, [] { fail(ErrorCategory::file_system, "root {}", world_rank()); });
  });
}

}  // namespace
}  // namespace tofu
