// What goes wrong while a job runs: exit codes 4 (the disk), 5 (numbers), and one rank alone.
#include <gtest/gtest.h>

#include <fstream>
#include <limits>

#include "e2e/mini_jobs.hpp"
#include "store/safetensors.hpp"

namespace tofu {
namespace {

namespace fs = std::filesystem;
using test::expect_error;
using test::run_program;

constexpr int kFileSystem = 4;
constexpr int kNumerical = 5;
// Open MPI itself keeps 4 MiB in a file. The optimizer's state of the mini model takes 7.5 MB.
constexpr std::uintmax_t kRoomForOpenMpi = std::uintmax_t{6} << 20;

// The trained model with one weight that is not a number.
fs::path model_with_nan(const fs::path& folder) {
  const fs::path model = folder / "nan";
  test::copy_folder(test::trained_hf_model(), model);
  const fs::path file = model / "model.safetensors";
  const auto offset = SafetensorsFile::open(file).find("model.norm.weight")->offset;
  const float value = std::numeric_limits<float>::quiet_NaN();
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekp(offset);
  stream.write(reinterpret_cast<const char*>(&value), sizeof value);
  return model;
}

TEST(FaultNumbers, NaNInTheWeights) {
  const test::ScratchFolder scratch;
  const fs::path model = model_with_nan(scratch.path());
  const fs::path run = scratch.path() / "run";
  expect_error(
      run_program(2, test::finetune(run, {"model_path=" + model.string(), "init=pretrained"})),
      kNumerical, {"step 1", "loss", "nan"});
  EXPECT_FALSE(fs::exists(run / "checkpoint"));
  expect_error(run_program(2, test::forget(model, scratch.path() / "forget")), kNumerical, {"nan"});
  expect_error(run_program(2, test::evaluate(model, scratch.path() / "evaluation")), kNumerical,
               {"eval_log.json", "finite"});
}

TEST(FaultNumbers, ALearningRateThatDiverges) {
  const test::ScratchFolder scratch;
  const fs::path run = scratch.path() / "run";
  expect_error(run_program(2, test::finetune(run, {"lr=1e30", "max_grad_norm=0"})), kNumerical,
               {"step", "smaller lr"});
}

TEST(FaultDisk, SaveDirBelowAFile) {
  const test::ScratchFolder scratch;
  const fs::path file = scratch.path() / "file";
  test::write_text(file, "");
  const std::string below = (file / "below").string();
  expect_error(run_program(2, test::finetune(below)), kFileSystem, {"save_dir", below});
  expect_error(run_program(2, {"convert", "from=" + test::trained_model().string(), "to=" + below}),
               kFileSystem, {file.string()});
  expect_error(run_program(2, {"prepare", "data_path=" + test::mini_data().string(),
                               "out=" + below + ".h5"}),
               kFileSystem, {file.string()});
}

// A limit on the size of files stands for a full disk: writing fails in the same way.
TEST(FaultDisk, NoRoomForACheckpoint) {
  const test::ScratchFolder scratch;
  const fs::path run = scratch.path() / "run";
  for (const std::size_t ranks : {1u, 2u}) {
    test::Launch launch;
    launch.ranks.assign(ranks, test::finetune(run, {"save_every=2"}));
    launch.largest_file = kRoomForOpenMpi;
    expect_error(run_program(launch), kFileSystem, {"optimizer.h5", "full"});
    EXPECT_FALSE(fs::exists(run / "checkpoint"));
    for (const auto& entry : fs::recursive_directory_iterator(run)) {
      EXPECT_NE(entry.path().extension(), ".h5");
      EXPECT_FALSE(entry.path().filename().string().starts_with(".")) << entry.path();
    }
  }
  test::expect_success(run_program(2, test::finetune(run, {"save_every=2"})));
  EXPECT_EQ(fs::read_symlink(run / "checkpoint"), "checkpoint-6");
}

TEST(FaultDisk, NoRoomForAConvertedModel) {
  const test::ScratchFolder scratch;
  // Wide enough for its file not to fit.
  const fs::path wide = scratch.path() / "wide";
  test::copy_folder(test::mini_model(), wide);
  test::replace_in_file(wide / "config.json", "\"hidden_size\": 128", "\"hidden_size\": 256");
  test::expect_success(run_program(
      1, test::finetune(scratch.path() / "run", {"max_steps=1", "model_path=" + wide.string()})));
  fs::create_directory(scratch.path() / "out");
  for (const char* name : {"model.h5", "folder"}) {
    const fs::path to = scratch.path() / "out" / name;
    test::Launch launch;
    launch.ranks.assign(2, {"convert", "from=" + (scratch.path() / "run/checkpoint").string(),
                            "to=" + to.string()});
    launch.largest_file = kRoomForOpenMpi;
    expect_error(run_program(launch), kFileSystem, {name, "write"});
    EXPECT_TRUE(fs::is_empty(scratch.path() / "out"));
  }
}

// The others wait for it in a collective operation, or are still on their way there.
TEST(FaultRanks, OneRankFailsAlone) {
  const test::ScratchFolder scratch;
  const auto good = test::finetune(scratch.path() / "run");
  const auto bad = test::finetune(scratch.path() / "run", {"data_path=/nonexistent"});
  for (const auto& ranks : {std::vector{bad, good}, std::vector{good, good, bad}}) {
    test::Launch launch;
    launch.ranks = ranks;
    launch.timeout = std::chrono::seconds(30);
    const auto outcome = run_program(launch);
    expect_error(outcome, kFileSystem, {"data_path", "/nonexistent"});
  }
}

TEST(FaultRanks, OneRankHasAnotherCommandLine) {
  const test::ScratchFolder scratch;
  test::Launch launch;
  launch.ranks = {test::finetune(scratch.path() / "run"),
                  test::finetune(scratch.path() / "run", {"modle_path=x"})};
  launch.timeout = std::chrono::seconds(30);
  expect_error(run_program(launch), 2, {"rank 1 of 2", "modle_path"});
}

}  // namespace
}  // namespace tofu
