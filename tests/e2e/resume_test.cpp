// A run that was stopped and started again is the run in one go.
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "e2e/mini_jobs.hpp"

namespace tofu {
namespace {

namespace fs = std::filesystem;
using test::run_program;

// Long enough to be stopped half-way.
constexpr std::size_t kSteps = 30;
constexpr std::size_t kStepsBeforeStop = 3;
constexpr double kTolerance = 1e-5;

test::Arguments long_run(const fs::path& folder) {
  return test::finetune(folder, {"max_steps=" + std::to_string(kSteps)});
}

// Starts the job, sends it `signal` after a few steps, and starts it again on as many ranks.
void stop_and_start_again(const fs::path& folder, int ranks, int signal) {
  test::Launch launch;
  launch.ranks.assign(static_cast<std::size_t>(ranks), long_run(folder));
  launch.with_mpiexec = ranks > 1;
  launch.stop_signal = signal;
  launch.is_time_to_stop = [&] { return test::read_log(folder).size() >= kStepsBeforeStop; };
  const auto stopped = run_program(launch);
  EXPECT_EQ(stopped.exit_code, kExitRequeue) << stopped.output;
  EXPECT_EQ(stopped.count("stopped on request"), 1) << stopped.output;
  EXPECT_EQ(stopped.count("error:"), 0) << stopped.output;
  const std::size_t steps = test::read_log(folder).size();
  EXPECT_GE(steps, kStepsBeforeStop);
  EXPECT_LT(steps, kSteps);
  EXPECT_EQ(fs::read_symlink(folder / "checkpoint"), "checkpoint-" + std::to_string(steps));

  const auto resumed = run_program(ranks, long_run(folder));
  test::expect_success(resumed);
  EXPECT_TRUE(resumed.says("going on from")) << resumed.output;
}

TEST(Resume, AfterSigusr1OnTwoRanks) {
  const test::ScratchFolder scratch;
  test::expect_success(run_program(2, long_run(scratch.path() / "whole")));
  stop_and_start_again(scratch.path() / "stopped", 2, SIGUSR1);
  const auto losses = test::read_losses(scratch.path() / "whole");
  EXPECT_EQ(losses.size(), kSteps);
  EXPECT_EQ(test::read_losses(scratch.path() / "stopped"), losses);
  test::expect_same_parameters(scratch.path() / "whole/checkpoint/model.h5",
                               scratch.path() / "stopped/checkpoint/model.h5");
}

TEST(Resume, AfterSigtermOfTheProgramAlone) {
  const test::ScratchFolder scratch;
  test::expect_success(run_program(1, long_run(scratch.path() / "whole")));
  stop_and_start_again(scratch.path() / "stopped", 1, SIGTERM);
  EXPECT_EQ(test::read_losses(scratch.path() / "stopped"),
            test::read_losses(scratch.path() / "whole"));
}

TEST(Resume, OnAnotherRankCount) {
  const test::ScratchFolder scratch;
  const fs::path whole = scratch.path() / "whole";
  const fs::path stopped = scratch.path() / "stopped";
  test::expect_success(run_program(1, test::finetune(whole)));
  const auto first = run_program(2, test::finetune(stopped, {"max_wall_time=0.001"}));
  EXPECT_EQ(first.exit_code, kExitRequeue) << first.output;
  EXPECT_TRUE(fs::exists(stopped / "checkpoint/optimizer.h5"));
  test::expect_success(run_program(3, test::finetune(stopped)));
  test::expect_near(test::read_losses(stopped), test::read_losses(whole), kTolerance);
}

// The reference is the model before unlearning, also once the policy has moved on.
TEST(Resume, OfUnlearning) {
  const test::ScratchFolder scratch;
  const fs::path whole = scratch.path() / "whole";
  const fs::path stopped = scratch.path() / "stopped";
  const auto forget = [](const fs::path& folder, const test::Arguments& more) {
    test::Arguments arguments = {"warmup_steps=0", "lr=1e-3", "eval.ds_size=2"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return test::forget(test::trained_model(), folder, arguments);
  };
  test::expect_success(run_program(2, forget(whole, {})));
  const auto first = run_program(2, forget(stopped, {"max_wall_time=0.001"}));
  EXPECT_EQ(first.exit_code, kExitRequeue) << first.output;
  test::expect_success(run_program(2, forget(stopped, {})));
  EXPECT_EQ(test::read_losses(stopped), test::read_losses(whole));
}

TEST(Resume, OfAFinishedRunChangesNothing) {
  const test::ScratchFolder scratch;
  const fs::path run = scratch.path() / "run";
  test::expect_success(run_program(1, test::finetune(run)));
  const std::string log = test::read_text(run / "log.jsonl");
  const auto written = fs::last_write_time(run / "checkpoint/model.h5");
  test::expect_success(run_program(1, test::finetune(run)));
  EXPECT_EQ(test::read_losses(run).size(), 6u);
  EXPECT_EQ(fs::last_write_time(run / "checkpoint/model.h5"), written);
}

TEST(Resume, OverwriteDirStartsAnew) {
  const test::ScratchFolder scratch;
  const fs::path run = scratch.path() / "run";
  test::expect_success(run_program(1, test::finetune(run)));
  test::expect_success(
      run_program(1, test::finetune(run, {"overwrite_dir=true", "max_steps=2", "lr=1e-3"})));
  EXPECT_EQ(test::read_log(run).size(), 2u);
  EXPECT_EQ(fs::read_symlink(run / "checkpoint"), "checkpoint-2");
  EXPECT_FALSE(fs::exists(run / "checkpoint-6"));
}

}  // namespace
}  // namespace tofu
