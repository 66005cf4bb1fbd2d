#include "text/rouge.hpp"

#include <gtest/gtest.h>

#include "text/porter_stemmer.hpp"

namespace tofu {
namespace {

using Words = std::vector<std::string>;

TEST(PorterStemmer, FollowsThePaperAndNltk) {
  const std::pair<const char*, const char*> cases[] = {
      {"caresses", "caress"},  {"ponies", "poni"},    {"ties", "tie"},
      {"flies", "fli"},        {"died", "die"},       {"spied", "spi"},
      {"agreed", "agre"},      {"feed", "feed"},      {"hopping", "hop"},
      {"falling", "fall"},     {"filing", "file"},    {"sky", "sky"},
      {"skies", "sky"},        {"happy", "happi"},    {"enjoy", "enjoy"},
      {"relational", "relat"}, {"geology", "geolog"}, {"controlling", "control"},
      {"news", "news"},        {"radically", "radic"}};
  for (const auto& [word, stem] : cases) EXPECT_EQ(porter_stem(word), stem) << word;
}

TEST(PorterStemmer, ShortOddAndLongWords) {
  EXPECT_EQ(porter_stem(""), "");
  EXPECT_EQ(porter_stem("is"), "is");
  EXPECT_EQ(porter_stem("RUNNING"), "run");
  EXPECT_EQ(porter_stem("1980s"), "1980");
  EXPECT_EQ(porter_stem(std::string(100000, 'y')).size(), 100000u);
}

TEST(RougeWords, LowerSplitStem) {
  EXPECT_EQ(rouge_words("The Cats' running, 3.14!"), (Words{"the", "cat", "run", "3", "14"}));
  EXPECT_EQ(rouge_words("caf\u00e9 don't"), (Words{"caf", "don", "t"}));
  EXPECT_EQ(rouge_words("\u212aing \xff x"), (Words{"king", "x"}));  // Kelvin sign; a broken byte
  EXPECT_TRUE(rouge_words(" \r\n\u2028 ").empty());
}

TEST(Rouge, CountsRepeatedWordsOnlyAsOftenAsBothHaveThem) {
  const RougeScore score = rouge_n("the the cat", "the the the dog", 1);
  EXPECT_DOUBLE_EQ(score.recall, 2.0 / 3);
  EXPECT_DOUBLE_EQ(score.precision, 2.0 / 4);
  EXPECT_DOUBLE_EQ(score.f1, 4.0 / 7);
}

TEST(Rouge, BigramsNeedTheOrder) {
  EXPECT_DOUBLE_EQ(rouge_n("a b c", "a b d", 2).recall, 0.5);
  EXPECT_DOUBLE_EQ(rouge_n("a b", "b a", 2).f1, 0);
  EXPECT_DOUBLE_EQ(rouge_n("a", "a", 2).recall, 0);
}

TEST(Rouge, LongestCommonSubsequenceSkipsWords) {
  const RougeScore score = rouge_l("a b c d", "a x c d y");
  EXPECT_DOUBLE_EQ(score.recall, 3.0 / 4);
  EXPECT_DOUBLE_EQ(score.precision, 3.0 / 5);
  EXPECT_DOUBLE_EQ(rouge_l("a b", "b a").recall, 0.5);
}

TEST(Rouge, NothingToCompareIsZero) {
  for (const auto& [reference, candidate] :
       {std::pair("", ""), std::pair("a", ""), std::pair("", "a"), std::pair("...", "a")}) {
    EXPECT_EQ(rouge_l(reference, candidate).f1, 0);
    EXPECT_EQ(rouge_n(reference, candidate, 1).recall, 0);
  }
}

}  // namespace
}  // namespace tofu
