// Exit code 2, and 4 where a file that the command line names is not there.
#include <gtest/gtest.h>

#include "e2e/mini_jobs.hpp"
#include "support/reference.hpp"

namespace tofu {
namespace {

namespace fs = std::filesystem;
using test::expect_error;
using test::run_program;

constexpr int kUsage = 2;
constexpr int kFileSystem = 4;

TEST(FaultConfiguration, TheBareCommandSaysWhereToSetTheModel) {
  for (const std::size_t ranks : {1u, 4u}) {
    test::Launch launch;
    launch.ranks.assign(ranks, {"forget"});
    launch.folder = test::source_directory();
    const auto outcome = run_program(launch);
    expect_error(outcome, kUsage, {"model_path", "configs/forget.yaml"});
    EXPECT_EQ(outcome.count("configs/forget.yaml"), 1) << outcome.output;
  }
}

TEST(FaultConfiguration, OutsideTheProjectToo) {
  const test::ScratchFolder scratch;
  test::Launch launch;
  launch.ranks = {{"forget"}};
  launch.folder = scratch.path();
  expect_error(run_program(launch), kUsage, {"model_path", "configs/forget.yaml"});
}

TEST(FaultConfiguration, CommandLines) {
  const test::ScratchFolder scratch;
  const fs::path run = scratch.path() / "run";
  expect_error(run_program(2, test::finetune(run, {"modle_path=x"})), kUsage,
               {"modle_path", "did you mean model_path"});
  expect_error(run_program(2, test::finetune(run, {"lr=fast"})), kUsage, {"lr", "fast", "number"});
  expect_error(run_program(2, test::finetune(run, {"lr"})), kUsage, {"lr", "key=value"});
  expect_error(run_program(2, {"frobnicate"}), kUsage, {"frobnicate"});
  expect_error(run_program(2, {}), kUsage, {"--help"});
  expect_error(run_program(2, test::forget(test::mini_model(), run, {"forget_loss=tpp"})), kUsage,
               {"forget_loss", "tpp", "tpo_grad_diff"});
  EXPECT_TRUE(fs::is_empty(scratch.path()));
}

TEST(FaultConfiguration, Files) {
  const test::ScratchFolder scratch;
  const std::string missing = (scratch.path() / "missing.yaml").string();
  expect_error(run_program(2, {"finetune", "--config", missing}), kFileSystem, {missing});
  const fs::path unknown = scratch.path() / "unknown.yaml";
  test::write_text(unknown, "model_family: mini\nbatchsize: 4\n");
  expect_error(run_program(2, {"finetune", "--config", unknown.string()}), kUsage,
               {unknown.string() + ":2", "batchsize", "did you mean batch_size"});
}

TEST(FaultConfiguration, ARunOfOtherSettingsIsNotContinued) {
  const test::ScratchFolder scratch;
  const fs::path run = scratch.path() / "run";
  test::expect_success(run_program(1, test::finetune(run, {"max_steps=2"})));
  const std::string log = test::read_text(run / "log.jsonl");
  expect_error(run_program(2, test::finetune(run, {"max_steps=2", "lr=0.001"})), kUsage,
               {"lr: 0.002", "lr: 0.001", "overwrite_dir"});
  expect_error(run_program(2, test::finetune(run, {"max_steps=2", "resume=never"})), kUsage,
               {run.string(), "resume=auto"});
  EXPECT_EQ(test::read_text(run / "log.jsonl"), log);
}

TEST(FaultConfiguration, ConvertDoesNotOverwriteUnasked) {
  const test::ScratchFolder scratch;
  const fs::path there = scratch.path() / "there.h5";
  test::write_text(there, "mine");
  expect_error(
      run_program(2, {"convert", "from=" + test::trained_model().string(), "to=" + there.string()}),
      kUsage, {there.string(), "overwrite_dir=true"});
  EXPECT_EQ(test::read_text(there), "mine");
}

}  // namespace
}  // namespace tofu
