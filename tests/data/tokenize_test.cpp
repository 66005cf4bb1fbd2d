#include "data/tokenize.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "support/reference.hpp"

namespace tofu {
namespace {

using nlohmann::json;

constexpr std::int64_t kEnd = 2;
constexpr TokenKind P = TokenKind::prompt;
constexpr TokenKind G = TokenKind::general;
constexpr TokenKind U = TokenKind::unwanted;
constexpr TokenKind E = TokenKind::end;

// A tokenizer over single characters, which joins "] and " to one token as Llama-2's does.
class TokenizeSample : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ =
        std::filesystem::temp_directory_path() / ("tokenize_sample_" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
    json vocabulary{{"<s>", 0}, {"</s>", 1}, {"]\"", 2}};
    for (const std::string character : {"[", "]", "q", "a", "b", "c", " ", "\"", "é", "T"}) {
      vocabulary[character] = vocabulary.size();
    }
    const json special{{"<s>", {{"id", "<s>"}, {"ids", {0}}, {"tokens", {"<s>"}}}},
                       {"</s>", {{"id", "</s>"}, {"ids", {1}}, {"tokens", {"</s>"}}}}};
    const json single = {{{"SpecialToken", {{"id", "<s>"}, {"type_id", 0}}}},
                         {{"Sequence", {{"id", "A"}, {"type_id", 0}}}},
                         {{"SpecialToken", {{"id", "</s>"}, {"type_id", 0}}}}};
    const json file{
        {"model", {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", {"] \""}}}},
        {"post_processor",
         {{"type", "TemplateProcessing"}, {"single", single}, {"special_tokens", special}}}};
    std::ofstream(folder_ / "tokenizer.json") << file.dump();
    tokenizer_ = std::make_unique<Tokenizer>(Tokenizer::load(folder_));
  }
  static void TearDownTestSuite() {
    tokenizer_.reset();
    std::filesystem::remove_all(folder_);
  }

  static Sample tokenize(std::string_view answer, const std::vector<WordSpan>& words, bool mask,
                         const TokenizeOptions& options) {
    return tokenize_sample(*tokenizer_, family_, "q", answer, words, mask, options);
  }

  static inline std::filesystem::path folder_;
  static inline std::unique_ptr<Tokenizer> tokenizer_;
  static inline ModelFamily family_{"tiny", "", "[", "]", "", {}};
};

TEST_F(TokenizeSample, KindsAreThoseOfTheTargets) {
  const Sample sample = tokenize("a bé", {{2, 3}}, true, {500, PromptBorder::published, kEnd});
  // <s> [ q ] a _ b é
  ASSERT_EQ(sample.ids.size(), 8u);
  EXPECT_EQ(sample.ids.front(), 0);
  for (std::size_t i = 0; i + 1 < sample.ids.size(); ++i) {
    EXPECT_EQ(sample.targets[i], sample.ids[i + 1]);
  }
  EXPECT_EQ(sample.targets.back(), kEnd);
  EXPECT_EQ(sample.kinds, (std::vector{P, P, P, U, U, G, U, E}));
}

TEST_F(TokenizeSample, WithoutAMaskTheWholeAnswerIsUnwanted) {
  const Sample sample = tokenize("a b", {{2, 3}}, false, {500, PromptBorder::published, kEnd});
  EXPECT_EQ(sample.kinds, (std::vector{P, P, P, U, U, U, E}));
}

TEST_F(TokenizeSample, ATokenOverTheBorderIsAnswerByOffsetsAlone) {
  const Sample published = tokenize("\"a", {}, true, {500, PromptBorder::published, kEnd});
  const Sample offsets = tokenize("\"a", {}, true, {500, PromptBorder::offsets, kEnd});
  EXPECT_EQ(published.ids, offsets.ids);
  EXPECT_EQ(published.kinds, (std::vector{P, P, P, U, E}));
  EXPECT_EQ(offsets.kinds, (std::vector{P, P, U, U, E}));
}

TEST_F(TokenizeSample, TheAnswerTagIsTrainedOnOnlyAsPublishedAndWithoutMask) {
  const ModelFamily tagged{"tiny", "", "[", "]", "T", {}};
  const auto kinds = [&](bool mask, PromptBorder border) {
    return tokenize_sample(*tokenizer_, tagged, "q", "a", {}, mask, {500, border, kEnd}).kinds;
  };
  EXPECT_EQ(kinds(true, PromptBorder::published), (std::vector{P, P, P, P, U, E}));
  EXPECT_EQ(kinds(false, PromptBorder::published), (std::vector{P, P, P, U, U, E}));
  EXPECT_EQ(kinds(false, PromptBorder::offsets), (std::vector{P, P, P, P, U, E}));
}

TEST_F(TokenizeSample, ALlama3FamilyMatchesWordsWithThePublishedOffsets) {
  const ModelFamily llama3{"tiny", "meta-llama/Llama-3.2-3B", "[", "]", "", {}};
  const std::vector<WordSpan> last{{1, 2}};
  const auto kinds = [&](PromptBorder border) {
    return tokenize_sample(*tokenizer_, llama3, "q", "ab", last, true, {500, border, kEnd}).kinds;
  };
  EXPECT_EQ(kinds(PromptBorder::published), (std::vector{P, P, P, U, U, E}));
  EXPECT_EQ(kinds(PromptBorder::offsets), (std::vector{P, P, P, U, G, E}));
}

TEST_F(TokenizeSample, ACutSampleHasNoEnd) {
  for (const std::int64_t length : {5, 6}) {  // one token too many, and just full
    const Sample sample = tokenize("ab", {}, true, {length, PromptBorder::published, kEnd});
    EXPECT_EQ(sample.ids.size(), static_cast<std::size_t>(length));
    EXPECT_EQ(sample.targets.back(), -1);
    EXPECT_EQ(sample.kinds.back(), P);
  }
  const Sample whole = tokenize("ab", {}, true, {7, PromptBorder::published, kEnd});
  EXPECT_EQ(whole.kinds.back(), E);
  const Sample prompt_alone = tokenize("ab", {}, true, {2, PromptBorder::published, kEnd});
  EXPECT_EQ(prompt_alone.kinds, (std::vector{P, P}));
}

TEST_F(TokenizeSample, WhatCannotBeTokenisedIsAnError) {
  const TokenizeOptions options{500, PromptBorder::published, kEnd};
  EXPECT_THROW(tokenize("", {}, true, options), Error);
  EXPECT_THROW(tokenize("a", {{0, 2}}, true, options), Error);
  EXPECT_THROW(tokenize("a", {{1, 0}}, true, options), Error);
  EXPECT_THROW(tokenize("a", {}, true, {0, PromptBorder::published, kEnd}), Error);
  EXPECT_THROW(parse_prompt_border("ofsets"), Error);
  EXPECT_EQ(parse_prompt_border("offsets"), PromptBorder::offsets);
}

TEST_F(TokenizeSample, AFamilyWithoutTagsHasNoPrompt) {
  const ModelFamily plain{"plain", "", "", "", "", {}};
  const Sample sample =
      tokenize_sample(*tokenizer_, plain, "", "ab", {}, true, {500, PromptBorder::published, kEnd});
  EXPECT_EQ(sample.kinds, (std::vector{U, U, E}));
}

// Characters of `text` to bytes.
std::size_t byte_offset(const std::string& text, std::size_t characters) {
  std::size_t position = 0;
  while (characters > 0) {
    ++position;
    while (position < text.size() && (static_cast<unsigned char>(text[position]) & 0xC0) == 0x80) {
      ++position;
    }
    --characters;
  }
  return position;
}

std::vector<WordSpan> general_words(const json& words, const std::string& answer) {
  std::vector<WordSpan> spans;
  if (words.is_null()) return spans;
  for (const auto& word : words) {
    spans.push_back({byte_offset(answer, word.at("start")), byte_offset(answer, word.at("end"))});
  }
  return spans;
}

// The published labels, spelt with -100, from ours.
std::vector<std::int64_t> labels_of(const Sample& sample, bool general_too) {
  std::vector<std::int64_t> labels{-100};
  for (std::size_t i = 0; i + 1 < sample.ids.size(); ++i) {
    const bool labelled = sample.kinds[i] == U || (general_too && sample.kinds[i] == G);
    labels.push_back(labelled ? sample.targets[i] : -100);
  }
  return labels;
}

TEST(TokenMasksGolden, AgreeWithThePublishedProgram) {
  const auto path = test::golden_directory() / "token_masks.json";
  const auto shared = test::shared_directory();
  if (!std::filesystem::exists(path) || shared.empty()) GTEST_SKIP() << "no reference cases";
  const json file = json::parse(std::ifstream(path));
  std::map<std::string, ModelFamily> families;
  std::map<std::string, Tokenizer> tokenizers;
  for (const auto& [name, entry] : file.at("model_families").items()) {
    families[name] = {name,
                      entry.at("hf_key"),
                      entry.at("question_start_tag"),
                      entry.at("question_end_tag"),
                      entry.at("answer_tag"),
                      {}};
    const char* folder = name.starts_with("llama2") ? "llama2" : "llama3.2";
    tokenizers.emplace(name, Tokenizer::load(shared / "tokenizers" / folder));
  }
  ASSERT_FALSE(file.at("cases").empty());
  for (const auto& expected : file.at("cases")) {
    const std::string name = expected.at("model_family");
    const std::string answer = expected.at("answer");
    const auto& words = expected.at("general_words");
    const Sample sample = tokenize_sample(
        tokenizers.at(name), families.at(name), expected.at("question").get<std::string>(), answer,
        general_words(words, answer), !words.is_null(), {500, PromptBorder::published, kEnd});
    SCOPED_TRACE(name + ": " + answer);
    EXPECT_EQ(sample.ids, expected.at("input_ids").get<std::vector<std::int64_t>>());
    EXPECT_EQ(labels_of(sample, true),
              expected.at("labels_before_mask").get<std::vector<std::int64_t>>());
    EXPECT_EQ(labels_of(sample, false), expected.at("labels").get<std::vector<std::int64_t>>());
    EXPECT_EQ(sample.kinds.back(), E);
  }
}

}  // namespace
}  // namespace tofu
