// tofu_mpi prepare, convert and generate.
#include <gtest/gtest.h>

#include "e2e/mini_jobs.hpp"

namespace tofu {
namespace {

namespace fs = std::filesystem;
using test::run_program;

TEST(Files, APreparedDatasetTrainsAsItsFolder) {
  const test::ScratchFolder scratch;
  test::expect_success(run_program(1, test::finetune(scratch.path() / "folder")));
  test::expect_success(run_program(
      1, test::finetune(scratch.path() / "file", {"data_path=" + test::prepared_data().string()})));
  const auto losses = test::read_losses(scratch.path() / "folder");
  EXPECT_EQ(losses.size(), 6u);
  EXPECT_EQ(test::read_losses(scratch.path() / "file"), losses);
}

TEST(Files, APreparedDatasetHoldsTheMasks) {
  const test::ScratchFolder scratch;
  const std::string prepared = test::prepared_data().string();
  test::expect_success(run_program(
      2, test::forget(test::trained_model(), scratch.path() / "file",
                      {"data_path=" + prepared, "masks_path=" + prepared, "--dry-run"})));
}

TEST(Files, AModelConvertedThereAndBackIsTheSame) {
  const test::ScratchFolder scratch;
  const fs::path back = scratch.path() / "back.h5";
  test::expect_success(run_program(
      2, {"convert", "from=" + test::trained_hf_model().string(), "to=" + back.string()}));
  test::expect_same_parameters(test::trained_model() / "model.h5", back);
  for (const char* name : {"config.json", "model.safetensors", "tokenizer.json"}) {
    EXPECT_TRUE(fs::exists(test::trained_hf_model() / name)) << name;
  }
}

TEST(Files, GenerateAnswers) {
  const auto outcome =
      run_program(2, {"generate", "--device", "cpu", "model_family=mini", "precision=fp32",
                      "model_path=" + test::trained_model().string(), "eval.max_new_tokens=5",
                      "prompt=Where was Talin Morrow born?"});
  test::expect_success(outcome);
  EXPECT_GT(outcome.result.size(), 1u) << outcome.output;
  EXPECT_EQ(outcome.result.find("tofu_mpi"), std::string::npos) << "the log goes to stderr";
}

}  // namespace
}  // namespace tofu
