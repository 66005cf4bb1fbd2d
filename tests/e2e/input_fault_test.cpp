// Exit code 3: input that cannot be used. Exit code 4 where it is not there at all.
#include <gtest/gtest.h>

#include "e2e/mini_jobs.hpp"

namespace tofu {
namespace {

namespace fs = std::filesystem;
using test::expect_error;
using test::run_program;

constexpr int kInputData = 3;
constexpr int kFileSystem = 4;

class FaultInput : public ::testing::Test {
 protected:
  // Trains from the weights of `model`.
  test::Outcome train(const fs::path& model, const test::Arguments& more = {}) const {
    test::Arguments arguments = {"model_path=" + model.string(), "init=pretrained"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program(2, test::finetune(run(), arguments));
  }

  // Trains a new model on other data.
  test::Outcome train_on(const fs::path& data, const test::Arguments& more = {}) const {
    test::Arguments arguments = {"data_path=" + data.string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program(2, test::finetune(run(), arguments));
  }

  fs::path run() const { return folder() / "run"; }
  const fs::path& folder() const { return scratch_.path(); }

 private:
  test::ScratchFolder scratch_;
};

TEST_F(FaultInput, NothingThere) {
  const std::string missing = (folder() / "missing").string();
  expect_error(train(missing), kFileSystem, {missing});
  expect_error(train_on(missing), kFileSystem, {"data_path", missing});
  expect_error(
      run_program(2, test::forget(test::trained_model(), run(), {"masks_path=" + missing})),
      kFileSystem, {"masks_path", missing});
  expect_error(run_program(1, {"aggregate", "ckpt_result=" + missing}), kFileSystem, {missing});
}

TEST_F(FaultInput, ASafetensorsFileCutShort) {
  const fs::path model = folder() / "model";
  test::copy_folder(test::trained_hf_model(), model);
  fs::resize_file(model / "model.safetensors", fs::file_size(model / "model.safetensors") / 2);
  expect_error(train(model), kInputData, {"model.safetensors", "download"});
}

TEST_F(FaultInput, ADamagedModelFile) {
  const fs::path model = folder() / "model.h5";
  fs::copy_file(test::trained_model() / "model.h5", model);
  const std::string array = "/parameters/model.layers.2.mlp.up_proj.weight";
  test::damage_array(model, array);
  expect_error(train(model), kInputData, {model.string(), array, "damaged"});
  expect_error(run_program(2, test::evaluate(model, run())), kInputData, {model.string(), array});
  fs::resize_file(model, fs::file_size(model) / 2);
  expect_error(train(model), kInputData, {model.string(), "incomplete"});
}

TEST_F(FaultInput, ADamagedCheckpoint) {
  test::expect_success(run_program(1, test::finetune(run(), {"max_steps=2"})));
  const std::string array = "/exp_avg_sq/model.norm.weight";
  test::damage_array(run() / "checkpoint/optimizer.h5", array);
  expect_error(run_program(2, test::finetune(run(), {"max_steps=2"})), kInputData,
               {"optimizer.h5", array, "damaged"});
}

TEST_F(FaultInput, ADamagedDataset) {
  const fs::path data = folder() / "data.h5";
  fs::copy_file(test::prepared_data(), data);
  test::damage_array(data, "/splits/full_and_world/answer/bytes");
  expect_error(train_on(data), kInputData,
               {data.string(), "/splits/full_and_world/answer/bytes", "damaged"});
}

TEST_F(FaultInput, ATokenizerOfAnotherModel) {
  const fs::path model = folder() / "model";
  test::copy_folder(test::mini_model(), model);
  test::replace_in_file(model / "config.json", "\"vocab_size\": 1200", "\"vocab_size\": 1000");
  expect_error(train(model, {"init=random"}), kInputData, {"1200", "1000", "tokenizer_path"});
}

TEST_F(FaultInput, AModelThatTheProgramDoesNotCompute) {
  const fs::path model = folder() / "model";
  test::copy_folder(test::mini_model(), model);
  test::replace_in_file(model / "config.json", "\"silu\"", "\"gelu\"");
  expect_error(train(model, {"init=random"}), kInputData, {"config.json", "hidden_act", "gelu"});
}

TEST_F(FaultInput, ASplitThatIsNotThere) {
  expect_error(train_on(test::mini_data(), {"split=nosuch"}), kInputData,
               {"nosuch", "retain90", "full"});
  expect_error(train_on(test::prepared_data(), {"split=nosuch"}), kInputData,
               {"nosuch", "retain90", "full"});
}

TEST_F(FaultInput, MasksOfAnotherClassifier) {
  expect_error(run_program(2, test::forget(test::trained_model(), run(), {"classifier=bert"})),
               kInputData, {"forget10", "bert", "truth"});
}

TEST_F(FaultInput, ALineThatIsNotJson) {
  const fs::path data = folder() / "data";
  fs::create_directory(data);
  const std::string record = "{\"question\": \"Who?\", \"answer\": \"Somebody.\"}\n";
  test::write_text(data / "full.json", record + record + "{\"question\": \"Who?\", \"answ\n");
  expect_error(train_on(data, {"split=full"}), kInputData, {"full.json, line 3"});
}

}  // namespace
}  // namespace tofu
