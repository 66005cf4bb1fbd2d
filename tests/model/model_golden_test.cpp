// Logits, likelihoods and greedy text of the reference cases.
#include <gtest/gtest.h>
#include <mpi.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "model/generation.hpp"
#include "model/head.hpp"
#include "support/golden_batches.hpp"
#include "support/reference.hpp"
#include "support/test_model.hpp"

namespace tofu::test {
namespace {

using Json = nlohmann::json;

Json read_json(const std::filesystem::path& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file) << path;
  return Json::parse(file);
}

std::filesystem::path model_folder(const std::string& name) {
  return golden_directory() / "models" / name;
}

class WholeModel {
 public:
  explicit WholeModel(const std::filesystem::path& folder)
      : sharded_(folder, 0),
        llama(sharded_.source.config(), sharded_.parameters.gather_all(), 512) {}

 private:
  TestModel sharded_;

 public:
  Llama llama;
};

at::Tensor every_position(const PackedBatch& batch) {
  return at::arange(batch.ids_N.size(0));
}

at::Tensor logits_NV(const Llama& model, const PackedBatch& batch) {
  const at::NoGradGuard no_grad;
  return all_logits(model.head().normed(model.forward(batch), every_position(batch)),
                    model.head().weight_VD);
}

TEST(GoldenModel, LogitsAndLikelihoods) {
  const Json cases = read_json(golden_directory() / "objectives.json")["cases"];
  int checked = 0;
  for (const Json& golden : cases) {
    if (golden.value("kind", "") != "logits") continue;
    SCOPED_TRACE(golden["batches"].get<std::string>());
    const WholeModel model(model_folder(golden["model"]));
    for (const Json& batches : cases) {
      if (batches.value("kind", "") != "batches" || batches["id"] != golden["batches"]) continue;
      const auto samples = golden_samples(batches["forget"], true);
      std::vector<std::vector<std::int64_t>> sequences;
      std::vector<std::int64_t> begins = {0};
      for (const Sample& sample : samples) {
        sequences.push_back(sample.ids);
        begins.push_back(begins.back() + std::ssize(sample.ids));
      }
      const at::Tensor logits = logits_NV(model.llama, pack_sequences(sequences, at::kCPU));
      for (const Json& row : golden["rows"]) {
        const std::int64_t token = begins[row[0].get<std::size_t>()] + row[1].get<std::int64_t>();
        for (std::size_t v = 0; v < row[2].size(); ++v) {
          EXPECT_NEAR(logits[token][static_cast<std::int64_t>(v)].item<double>(),
                      row[2][v].get<double>(), 1e-4);
          ++checked;
        }
      }
    }
  }
  EXPECT_GT(checked, 0);
}

TEST(GoldenModel, GreedyContinuations) {
  const Json cases = read_json(golden_directory() / "objectives.json")["cases"];
  int checked = 0;
  for (const Json& golden : cases) {
    if (golden.value("kind", "") != "greedy") continue;
    const WholeModel model(model_folder(golden["model"]));
    const auto prompts = golden["prompts"].get<std::vector<std::vector<std::int64_t>>>();
    const auto expected = golden["continuations"].get<std::vector<std::vector<std::int64_t>>>();
    for (const std::int64_t batch_size : {1, 16}) {
      GenerationOptions options;
      options.max_length = 512;
      options.max_new_tokens = std::ssize(expected[0]);
      options.batch_size = batch_size;
      EXPECT_EQ(generate(model.llama, prompts, options), expected);
      ++checked;
    }
  }
  EXPECT_GT(checked, 0);
}

TEST(GoldenModel, PretrainedWeights) {
  const auto path = golden_directory() / "stories260K.json";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no stories260K.json among the cases";
  const WholeModel model(shared_directory() / "models" / "stories260K");
  const Json cases = read_json(path)["cases"];
  EXPECT_FALSE(cases.empty());
  for (const Json& golden : cases) {
    const auto ids = golden["input_ids"].get<std::vector<std::int64_t>>();
    const auto expected = golden["token_nll"].get<std::vector<double>>();
    const at::Tensor logits = logits_NV(model.llama, pack_sequences({ids}, at::kCPU));
    const at::Tensor log_probabilities = at::log_softmax(logits, -1);
    for (std::size_t t = 0; t < expected.size(); ++t) {
      const auto at_t = static_cast<std::int64_t>(t);
      EXPECT_NEAR(-log_probabilities[at_t][ids[t + 1]].item<double>(), expected[t], 1e-4);
      EXPECT_EQ(logits[at_t].argmax().item<std::int64_t>(),
                golden["argmax"][t].get<std::int64_t>());
    }
    GenerationOptions options;
    options.max_length = 512;
    options.max_new_tokens = std::ssize(golden["greedy32_ids"]);
    EXPECT_EQ(generate(model.llama, {ids}, options)[0],
              golden["greedy32_ids"].get<std::vector<std::int64_t>>());
  }
}

TEST(Generation, ContinuousBatchingDoesNotChangeTheText) {
  const WholeModel model(model_folder("llama3-tiny"));
  std::vector<std::vector<std::int64_t>> prompts;
  for (std::int64_t length = 1; length <= 9; ++length) {
    prompts.emplace_back();
    for (std::int64_t i = 0; i < length; ++i) prompts.back().push_back(3 + 7 * i * length);
  }
  for (const bool sample : {false, true}) {
    GenerationOptions options;
    options.max_length = 24;
    options.sample = sample;
    options.seed_of = [](std::size_t index) { return 1000 + index; };
    options.batch_size = 1;
    const auto alone = generate(model.llama, prompts, options);
    options.batch_size = 4;
    EXPECT_EQ(generate(model.llama, prompts, options), alone);
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      EXPECT_LE(prompts[i].size() + alone[i].size(), 24U);
    }
  }
}

TEST(Generation, APromptAtTheLimitGetsNothing) {
  const WholeModel model(model_folder("llama3-tiny"));
  GenerationOptions options;
  options.max_length = 3;
  const auto result = generate(model.llama, {{1, 2, 3}, {}, {1, 2}}, options);
  EXPECT_TRUE(result[0].empty());
  EXPECT_TRUE(result[1].empty());
  EXPECT_LE(result[2].size(), 1U);
}

}  // namespace
}  // namespace tofu::test
