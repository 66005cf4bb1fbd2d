#include "model/masked_lm.hpp"

#include <gtest/gtest.h>

#include "identify/tiny_encoder.hpp"
#include "store/file_test_support.hpp"

namespace tofu {
namespace {

using test::expect_error;
using test::TinyEncoder;

const std::vector<std::vector<std::int64_t>> kTexts = {{0, 7, 4, 9, 2}, {0, 4, 30, 31, 2}};
const std::vector<std::int64_t> kPositions = {2, 1};

class MaskedLmTest : public testing::TestWithParam<bool> {
 protected:
  MaskedLm load(const TinyEncoder& encoder) {
    encoder.write(folder_.path());
    return MaskedLm::load(folder_.path(), at::kCPU);
  }
  void expect_refused(const TinyEncoder& encoder, const std::vector<std::string>& parts) {
    expect_error(ErrorCategory::input_data, parts, [&] { load(encoder); });
  }

  test::TemporaryFolder folder_;
  TinyEncoder encoder_{GetParam()};
  const std::string head_ = GetParam() ? "lm_head." : "cls.predictions.";
  const std::string base_ = GetParam() ? "roberta." : "bert.";
};

TEST_P(MaskedLmTest, ATextDoesNotDependOnItsNeighbours) {
  const MaskedLm model = load(encoder_);
  const auto together = model.predict(kTexts, kPositions);
  for (std::size_t b = 0; b < 2; ++b) {
    const auto alone = model.predict({kTexts[b]}, {kPositions[b]});
    EXPECT_EQ(alone[0].token, together[b].token);
    EXPECT_NEAR(alone[0].probability, together[b].probability, 1e-6);
    EXPECT_GT(alone[0].probability, 1.0 / 60);
  }
}

TEST_P(MaskedLmTest, WhatIsStoredTwiceOrNotUsedMayBeThere) {
  const std::string digest = load(encoder_).digest();
  encoder_.add(head_ + "decoder.bias", {57});
  encoder_.add(base_ + "embeddings.position_ids", {24});
  encoder_.add(base_ + "pooler.dense.bias", {8});
  EXPECT_EQ(load(encoder_).digest(), digest);
  encoder_.tensors[3].second[0] += 1;
  EXPECT_NE(load(encoder_).digest(), digest);
}

TEST_P(MaskedLmTest, OldNamesOfTheLayerNormsAreKnown) {
  const auto expected = load(encoder_).predict(kTexts, kPositions);
  encoder_.rename(base_ + "embeddings.LayerNorm.weight", base_ + "embeddings.LayerNorm.gamma");
  encoder_.rename(base_ + "embeddings.LayerNorm.bias", base_ + "embeddings.LayerNorm.beta");
  const auto found = load(encoder_).predict(kTexts, kPositions);
  EXPECT_EQ(found[0].token, expected[0].token);
  EXPECT_EQ(found[0].probability, expected[0].probability);
}

TEST_P(MaskedLmTest, ADecoderOfItsOwnIsUsed) {
  const auto tied = load(encoder_).predict(kTexts, kPositions);
  encoder_.config["tie_word_embeddings"] = false;
  encoder_.add(head_ + "decoder.weight", {57, 8});
  EXPECT_NE(load(encoder_).predict(kTexts, kPositions)[0].probability, tied[0].probability);
}

TEST_P(MaskedLmTest, AModelWithoutHeadIsRefused) {
  encoder_.remove(head_ + "bias");
  expect_refused(encoder_, {"no LM head", "ForMaskedLM"});
}

TEST_P(MaskedLmTest, TensorsThatDoNotFitAreRefused) {
  TinyEncoder missing = encoder_;
  missing.remove(base_ + "encoder.layer.1.output.dense.bias");
  expect_refused(missing, {"layer.1.output.dense.bias"});
  TinyEncoder unknown = encoder_;
  unknown.add(base_ + "encoder.layer.0.attention.self.distance_embedding.weight", {4, 4});
  expect_refused(unknown, {"distance_embedding"});
  TinyEncoder other_shape = encoder_;
  other_shape.config["intermediate_size"] = 13;
  expect_refused(other_shape, {"intermediate.dense.weight", "[12, 8]", "[13, 8]"});
}

TEST_P(MaskedLmTest, WhatIsNotComputedIsRefused) {
  const auto refuse = [&](const std::string& field, const nlohmann::json& value) {
    TinyEncoder changed = encoder_;
    changed.config[field] = value;
    expect_refused(changed, {field, "config.json"});
  };
  refuse("hidden_act", "relu");
  refuse("hidden_act", "gelu_new");
  refuse("position_embedding_type", "relative_key");
  refuse("model_type", "distilbert");
  refuse("is_decoder", true);
  refuse("quantization_config", {{"bits", 4}});
  refuse("hidden_size", 9);  // not a multiple of the heads
  refuse("num_attention_heads", 0);
  refuse("vocab_size", "57");
  refuse("layer_norm_eps", -1);
  refuse("max_position_embeddings", 2);
}

TEST_P(MaskedLmTest, FilesThatAreNoneAreRefused) {
  encoder_.write(folder_.path());
  test::write_bytes(folder_ / "config.json", "{\"model_type\": \"rob");
  expect_error(ErrorCategory::input_data, {"config.json", "complete"},
               [&] { MaskedLm::load(folder_.path(), at::kCPU); });
  expect_error(ErrorCategory::file_system, {"config.json", "missing"},
               [&] { MaskedLm::load(folder_ / "none", at::kCPU); });
}

INSTANTIATE_TEST_SUITE_P(Kinds, MaskedLmTest, testing::Bool(),
                         [](const auto& kind) { return kind.param ? "Roberta" : "Bert"; });

}  // namespace
}  // namespace tofu
