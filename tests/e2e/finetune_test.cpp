// tofu_mpi finetune: what a run leaves, and that it can be repeated.
#include <gtest/gtest.h>

#include "e2e/mini_jobs.hpp"

namespace tofu {
namespace {

namespace fs = std::filesystem;
using test::finetune;
using test::run_program;

constexpr double kTolerance = 1e-5;

TEST(Finetune, LeavesALogAndACheckpoint) {
  const test::ScratchFolder scratch;
  const fs::path run = scratch.path() / "run";
  const auto outcome = run_program(2, finetune(run));
  test::expect_success(outcome);
  EXPECT_EQ(outcome.count("done: "), 1) << "one rank speaks";

  const auto log = test::read_log(run);
  ASSERT_EQ(log.size(), 6u);
  for (std::size_t i = 0; i < log.size(); ++i) {
    EXPECT_EQ(log[i].at("step"), i + 1);
    for (const char* key : {"loss", "lr", "grad_norm", "step_s", "tokens"}) {
      EXPECT_TRUE(log[i].contains(key) && log[i][key].is_number()) << key;
    }
  }
  EXPECT_LT(log.back()["loss"], log.front()["loss"]);
  EXPECT_TRUE(fs::is_symlink(run / "checkpoint"));
  EXPECT_EQ(fs::read_symlink(run / "checkpoint"), "checkpoint-6");
  for (const char* name :
       {"config.yaml", "loss_log.csv", "checkpoint/model.h5", "checkpoint/optimizer.h5",
        "checkpoint/config.json", "checkpoint/tokenizer.json"}) {
    EXPECT_TRUE(fs::exists(run / name)) << name;
  }
  for (const auto& entry : fs::recursive_directory_iterator(run)) {
    EXPECT_FALSE(entry.path().filename().string().starts_with(".")) << entry.path();
  }
}

TEST(Finetune, TheRankCountChangesNothing) {
  const test::ScratchFolder scratch;
  test::expect_success(run_program(1, finetune(scratch.path() / "one")));
  test::expect_success(run_program(2, finetune(scratch.path() / "two", {"zero_stage=3"})));
  test::expect_near(test::read_losses(scratch.path() / "two"),
                    test::read_losses(scratch.path() / "one"), kTolerance);
}

TEST(Finetune, TheSameAgainIsTheSameToTheBit) {
  const test::ScratchFolder scratch;
  for (const char* name : {"first", "second"}) {
    test::expect_success(run_program(2, finetune(scratch.path() / name)));
  }
  EXPECT_EQ(test::read_losses(scratch.path() / "first"),
            test::read_losses(scratch.path() / "second"));
  test::expect_same_parameters(scratch.path() / "first/checkpoint/model.h5",
                               scratch.path() / "second/checkpoint/model.h5");
}

TEST(Finetune, ADryRunWritesNothing) {
  const test::ScratchFolder scratch;
  const auto outcome = run_program(2, finetune(scratch.path() / "run", {"--dry-run"}));
  test::expect_success(outcome);
  EXPECT_TRUE(outcome.says("6 steps")) << outcome.output;
  EXPECT_TRUE(fs::is_empty(scratch.path()));
}

}  // namespace
}  // namespace tofu
