// Models and training states that one number of ranks or ZeRO stage wrote and another reads.
#include <gtest/gtest.h>

#include <fstream>

#include "base/error.hpp"
#include "checkpoint/model_file.hpp"
#include "checkpoint/training_state.hpp"
#include "support/reference.hpp"
#include "support/test_model.hpp"

namespace tofu::test {
namespace {

std::filesystem::path model_folder() {
  return golden_directory() / "models" / "llama3-tiny";
}

// A folder of this test's own, the same on every rank, removed at the end.
class CheckpointTest : public testing::Test {
 protected:
  CheckpointTest() {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::temp_directory_path() /
              world_.broadcast_from_root(
                  fmt::format("tofu_checkpoint_test-{}-{}", getpid(), info->name()));
    world_.on_root([&] { std::filesystem::create_directories(folder_); });
  }
  ~CheckpointTest() override {
    world_.barrier();
    if (world_.rank() == 0) std::filesystem::remove_all(folder_);
    world_.barrier();
  }

  HostGroup world_{MPI_COMM_WORLD, 60};
  std::filesystem::path folder_;
};

// The weights of every unit, whole.
std::vector<at::Tensor> weights_of(TestModel& model) {
  std::vector<at::Tensor> result;
  const auto whole = model.parameters.gather_all();
  for (std::size_t i = 0; i < whole.size(); ++i) {
    result.push_back(whole[i].narrow(0, 0, model.parameters.unit(i).numel).clone());
  }
  return result;
}

void expect_equal(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(at::equal(a[i], b[i])) << "unit " << i;
}

TEST_F(CheckpointTest, AModelFileHoldsTheSameModelAtEveryStage) {
  TestModel original(model_folder(), 2);
  const auto expected = weights_of(original);
  const auto path = folder_ / "model.h5";
  save_model_file(path, &original.parameters, original.groups, original.source.files(), {});
  for (const int stage : {0, 1, 2, 3}) {
    TestModel copy(path, stage);
    expect_equal(weights_of(copy), expected);
    EXPECT_EQ(copy.digest, original.digest);
  }
}

TEST_F(CheckpointTest, ConvertingForthAndBackKeepsEveryBit) {
  const auto model_file = folder_ / "m.h5";
  const auto hf_folder = folder_ / "hf";
  copy_to_model_file(ModelSource::open(model_folder(), MPI_COMM_WORLD), model_file, MPI_COMM_WORLD,
                     {{"program", "test"}});
  copy_to_hf_folder(ModelSource::open(model_file, MPI_COMM_WORLD), hf_folder, MPI_COMM_WORLD);
  TestModel original(model_folder(), 0);
  TestModel copy(hf_folder, 0);
  expect_equal(weights_of(copy), weights_of(original));
  EXPECT_TRUE(std::filesystem::exists(hf_folder / "config.json"));
}

TEST_F(CheckpointTest, ATrainingStateComesBackAtAnotherStage) {
  TestModel trained(model_folder(), 3);
  for (std::size_t i = 0; i < trained.parameters.unit_count(); ++i) {
    OptimizerShard& shard = trained.parameters.optimizer_shard(i);
    // Values that tell where in the unit they belong.
    const at::Tensor places =
        at::arange(shard.range.first, shard.range.first + shard.range.count, at::kFloat);
    shard.exp_avg.copy_(places);
    shard.exp_avg_sq.copy_(places * 2);
  }
  save_checkpoint(folder_, {7, "settings"}, &trained.parameters, trained.groups,
                  trained.source.files(), {});
  EXPECT_EQ(newest_checkpoint(folder_), 7);
  EXPECT_EQ(std::filesystem::read_symlink(folder_ / "checkpoint"), "checkpoint-7");
  for (const int stage : {0, 2}) {
    TestModel other(model_folder(), stage);
    const TrainingState state =
        load_checkpoint(folder_ / "checkpoint", &other.parameters, other.groups);
    EXPECT_EQ(state.step, 7);
    EXPECT_EQ(state.fingerprint, "settings");
    for (std::size_t i = 0; i < other.parameters.unit_count(); ++i) {
      const OptimizerShard& shard = other.parameters.optimizer_shard(i);
      const std::int64_t count =
          std::min(shard.range.count, other.parameters.unit(i).numel - shard.range.first);
      const at::Tensor places =
          at::arange(shard.range.first, shard.range.first + count, at::kFloat);
      EXPECT_TRUE(at::equal(shard.exp_avg.narrow(0, 0, count), places));
      EXPECT_TRUE(at::equal(shard.exp_avg_sq.narrow(0, 0, count), places * 2));
    }
  }
}

TEST_F(CheckpointTest, OldCheckpointsGoTheirEvaluationsStay) {
  TestModel model(model_folder(), 2);
  for (const std::int64_t step : {1, 2, 3}) {
    save_checkpoint(folder_, {step, ""}, &model.parameters, model.groups, model.source.files(), {});
  }
  world_.on_root([&] {
    std::ofstream(folder_ / "checkpoint-1" / "aggregate_stat.txt") << "kept";
    remove_old_checkpoints(folder_, 1);
  });
  EXPECT_FALSE(std::filesystem::exists(folder_ / "checkpoint-1" / "model.h5"));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "checkpoint-1" / "aggregate_stat.txt"));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "checkpoint-2" / "model.h5"));
  EXPECT_EQ(newest_checkpoint(folder_), 3);
}

TEST_F(CheckpointTest, ADamagedModelFileIsRefusedByEveryRank) {
  TestModel model(model_folder(), 2);
  const auto path = folder_ / "model.h5";
  save_model_file(path, &model.parameters, model.groups, model.source.files(), {});
  world_.on_root([&] {
    // The last bytes of the file belong to the last array written.
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(-64, std::ios::end);
    const auto at = file.tellg();
    char byte = 0;
    file.get(byte);
    file.seekp(at);
    file.put(static_cast<char>(byte ^ 0x55));
  });
  try {
    TestModel damaged(path, 2);
    FAIL() << "a damaged file was used";
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), 3) << error.what();
  }
}

TEST_F(CheckpointTest, WhatIsNoModelIsNamed) {
  world_.on_root([&] { std::ofstream(folder_ / "notes.txt") << "no model"; });
  for (const auto& [path, code] : {std::pair{folder_ / "absent", 4}, {folder_ / "notes.txt", 3}}) {
    try {
      ModelSource::open(path, MPI_COMM_WORLD);
      FAIL() << path;
    } catch (const Error& error) {
      EXPECT_EQ(error.exit_code(), code);
      EXPECT_NE(std::string(error.what()).find(path.filename().string()), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace tofu::test
