#include "identify/model_word.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "checkpoint/model_source.hpp"
#include "data/tokenize.hpp"
#include "identify/tiny_encoder.hpp"
#include "model/head.hpp"
#include "model/parameters.hpp"
#include "store/file_test_support.hpp"

namespace tofu {
namespace {

// A small Llama of random weights over the letters of the tiny encoder's tokenizer.
LlamaConfig tiny_config() {
  LlamaConfig config;
  config.vocab_size = 57;
  config.hidden_size = 8;
  config.intermediate_size = 12;
  config.num_layers = 2;
  config.num_heads = 2;
  config.num_kv_heads = 1;
  config.head_dim = 4;
  config.max_position_embeddings = 64;
  config.eos_token_ids = {2};
  return config;
}

Llama tiny_llama() {
  const LlamaConfig config = tiny_config();
  std::mt19937 random(1);
  std::vector<at::Tensor> units;
  for (const UnitSpec& unit : llama_units(config)) {
    at::Tensor values = at::empty({unit.numel()}, at::kFloat);
    for (std::int64_t i = 0; i < unit.numel(); ++i) {
      values.data_ptr<float>()[i] = static_cast<float>(random() % 2001) / 1000.0F - 1.0F;
    }
    units.push_back(values);
  }
  return Llama(config, units, 64);
}

class ModelWord : public testing::Test {
 protected:
  ModelWord() {
    const test::TemporaryFolder folder;
    test::TinyEncoder(false).write(folder.path());
    tokenizer_.emplace(Tokenizer::load(folder.path()));
    family_.question_end_tag = " ";
    family_.answer_tag = "x ";
  }
  WordScoring scoring(bool with_question = true, std::int64_t max_length = 60) const {
    return {llama_, *tokenizer_, family_, with_question, 2, max_length};
  }

  const HostGroup world_{MPI_COMM_WORLD, 60};
  const Llama llama_ = tiny_llama();
  std::optional<Tokenizer> tokenizer_;
  ModelFamily family_;
};

const std::vector<Record> kRecords = {{"a b", "c de, f.", {}, {}},
                                      {"q", "g", {}, {}},
                                      {"r s t", "h i j k l", {}, {}},
                                      {"u", "v w", {}, {}},
                                      {"z", "...", {}, {}}};

TEST_F(ModelWord, AWordHasTheProbabilityOfItsTokens) {
  const auto found = word_probabilities(scoring(), kRecords, world_);
  ASSERT_EQ(found.size(), kRecords.size());
  ASSERT_EQ(found[0].size(), 3u);  // c, de, f
  EXPECT_TRUE(found[4].empty());
  // [CLS] a b x c d ##e , f . [SEP]: the word "de" is the tokens 5 and 6.
  const auto ids = tokenizer_->encode("a b x c de, f.").ids;
  const at::Tensor hidden = llama_.forward(pack_sequences({ids}, at::kCPU));
  const at::Tensor log_probabilities =
      at::log_softmax(all_logits(llama_.head().normed(hidden, at::arange(std::ssize(ids))),
                                 llama_.head().weight_VD),
                      -1);
  const auto at_token = [&](std::int64_t t) {
    return log_probabilities[t - 1][ids[static_cast<std::size_t>(t)]].item<double>();
  };
  EXPECT_NEAR(found[0][0], std::exp(at_token(4)), 1e-5);
  EXPECT_NEAR(found[0][1], std::exp(at_token(5) + at_token(6)), 1e-5);
}

TEST_F(ModelWord, TheQuestionMatters) {
  const auto with = word_probabilities(scoring(), kRecords, world_);
  const auto without = word_probabilities(scoring(false), kRecords, world_);
  EXPECT_GT(std::abs(with[0][0] - without[0][0]), 1e-6);
}

TEST_F(ModelWord, AnyNumberOfRanksFindsTheSame) {
  const HostGroup alone(MPI_COMM_SELF, 60);
  EXPECT_EQ(word_probabilities(scoring(), kRecords, world_),
            word_probabilities(scoring(), kRecords, alone));
}

TEST_F(ModelWord, WordsBehindTheLimitAreUnwanted) {
  const auto cut = word_probabilities(scoring(true, 5), kRecords, world_);
  EXPECT_FALSE(std::isnan(cut[0][0]));
  EXPECT_TRUE(std::isnan(cut[0][1]));
  const AnswerMasks masks = identify_by_drop(kRecords, cut, cut, 0.5);
  EXPECT_EQ(masks[0], (std::vector<WordSpan>{{0, 1}, {4, 5}, {7, 8}}));  // c , .
}

TEST_F(ModelWord, WhatTheQuestionSaysIsNotSecret) {
  const std::vector<Record> records = {{"Who is One?", "One's two", {}, {}}};
  EXPECT_EQ(identify_by_drop(records, {{1, 1}}, {{0, 0}}, 0.5)[0], (std::vector<WordSpan>{{0, 5}}));
}

TEST_F(ModelWord, ADropAboveTheThresholdIsUnwanted) {
  const std::vector<Record> records = {{"q", "one two, three", {}, {}}};
  const AnswerMasks masks = identify_by_drop(records, {{0.9, 1.0, 0.2}}, {{0.8, 0.1, 0.9}}, 0.5);
  EXPECT_EQ(masks[0], (std::vector<WordSpan>{{0, 3}, {7, 8}, {9, 14}}));
}

}  // namespace
}  // namespace tofu
