#include "identify/agreement.hpp"

#include <gtest/gtest.h>

namespace tofu {
namespace {

const std::vector<Record> kRecords = {{"q", "one two three four", {}, {}}};
constexpr WordSpan kOne{0, 3}, kTwo{4, 7}, kThree{8, 13}, kFour{14, 18};

TEST(Agreement, AWordIsGeneralIfPartOfItIs) {
  const auto words = label_words("(Al-Kuwaiti), x", {{4, 6}});
  ASSERT_EQ(words.size(), 2u);
  EXPECT_FALSE(words[0].unwanted);
  EXPECT_TRUE(words[1].unwanted);
}

TEST(Agreement, CountsAndRatios) {
  // A: three, four unwanted. B: two, three.
  const Agreement result = compare_masks(kRecords, {{kOne, kTwo}}, {{kOne, kFour}});
  EXPECT_EQ(result.words, 4);
  EXPECT_EQ(result.unwanted_in_both, 1);
  EXPECT_EQ(result.unwanted_in_a_alone, 1);
  EXPECT_EQ(result.unwanted_in_b_alone, 1);
  EXPECT_DOUBLE_EQ(result.share_a(), 0.5);
  EXPECT_DOUBLE_EQ(result.precision(), 0.5);
  EXPECT_DOUBLE_EQ(result.recall(), 0.5);
  EXPECT_DOUBLE_EQ(result.kappa(), 0);  // as by chance
  EXPECT_EQ(result.disputes.at("four").a_alone, 1);
  EXPECT_EQ(result.disputes.at("two").b_alone, 1);
  EXPECT_EQ(result.disputes.count("three"), 0u);
}

TEST(Agreement, KappaOfAKnownTable) {
  // Of 50 words A finds the first 25 unwanted and B the first 40.
  std::string answer;
  std::vector<WordSpan> general_a, general_b;
  for (int i = 0; i < 50; ++i) {
    const WordSpan word{answer.size(), answer.size() + 1};
    answer += "x ";
    if (i >= 25) general_a.push_back(word);
    if (i >= 40) general_b.push_back(word);
  }
  const Agreement result = compare_masks({{"q", answer, {}, {}}}, {general_a}, {general_b});
  EXPECT_EQ(result.unwanted_in_both, 25);
  EXPECT_EQ(result.unwanted_in_b_alone, 15);
  const double observed = 35.0 / 50;
  const double chance = 0.5 * 0.8 + 0.5 * 0.2;
  EXPECT_NEAR(result.kappa(), (observed - chance) / (1 - chance), 1e-12);
  EXPECT_DOUBLE_EQ(result.precision(), 1);
  EXPECT_DOUBLE_EQ(result.recall(), 25.0 / 40);
}

TEST(Agreement, WithoutWordsOrDifferencesNothingDividesByZero) {
  const Agreement none = compare_masks({{"q", "...", {}, {}}}, {{}}, {{}});
  EXPECT_EQ(none.words, 0);
  EXPECT_EQ(none.kappa(), 1);
  EXPECT_EQ(none.precision(), 1);
  const Agreement all_general = compare_masks(kRecords, {{{0, 18}}}, {{{0, 18}}});
  EXPECT_EQ(all_general.kappa(), 1);
  EXPECT_EQ(all_general.answers_without_unwanted_a, 1);
}

TEST(Agreement, TheReportNamesSplitsAndDisputes) {
  const std::string text =
      agreement_report({{"forget01", compare_masks(kRecords, {{kOne}}, {{kOne, kThree}})}});
  EXPECT_NE(text.find("forget01"), std::string::npos);
  EXPECT_NE(text.find("three"), std::string::npos);
  EXPECT_EQ(text.find("four"), std::string::npos);
}

}  // namespace
}  // namespace tofu
