#include "data/answer_masks.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "data/split_digest.hpp"

namespace tofu {
namespace {

using Words = std::vector<MaskedWord>;

TEST(AnswerMasks, TheRestIsUnwantedInRunsBetweenWhiteSpace) {
  EXPECT_EQ(
      masked_words("The name is Hina Ameen.", {{0, 3}, {9, 11}}),
      (Words{
          {{0, 3}, false}, {{4, 8}, true}, {{9, 11}, false}, {{12, 16}, true}, {{17, 23}, true}}));
}

TEST(AnswerMasks, AGeneralWordSplitsTheRunAroundIt) {
  EXPECT_EQ(masked_words("author's", {{0, 6}, {7, 8}}),
            (Words{{{0, 6}, false}, {{6, 7}, true}, {{7, 8}, false}}));
}

TEST(AnswerMasks, WithoutGeneralWordsAllIsUnwanted) {
  EXPECT_EQ(masked_words("  a\tbc ", {}), (Words{{{2, 3}, true}, {{4, 6}, true}}));
  EXPECT_EQ(masked_words(" ", {}), Words{});
  EXPECT_EQ(masked_words("all", {{0, 3}}), (Words{{{0, 3}, false}}));
}

TEST(AnswerMasks, WhiteSpaceIsThatOfUnicode) {
  // A no-break space and an ideographic one.
  EXPECT_EQ(masked_words("é\u00A0b\u3000c", {}),
            (Words{{{0, 2}, true}, {{4, 5}, true}, {{8, 9}, true}}));
}

TEST(AnswerMasks, OverlappingGeneralWordsAreKept) {
  EXPECT_EQ(masked_words("New York x", {{0, 8}, {4, 8}}),
            (Words{{{0, 8}, false}, {{4, 8}, false}, {{9, 10}, true}}));
}

TEST(AnswerMasks, AWordIsWholeCharactersOfTheText) {
  EXPECT_TRUE(is_word_of("é", {0, 2}));
  EXPECT_FALSE(is_word_of("é", {0, 1}));
  EXPECT_FALSE(is_word_of("é", {1, 2}));
  EXPECT_FALSE(is_word_of("ab", {1, 1}));
  EXPECT_FALSE(is_word_of("ab", {1, 3}));
}

TEST(SplitDigest, IsStableAndSeesEveryTextAndTheirOrder) {
  // FNV-1a of lengths and texts, computed apart.
  EXPECT_EQ(split_digest({}), "cbf29ce484222325");
  EXPECT_EQ(split_digest({{"q", "a", "", {}}}), "cc1aa0df620defbd");
  const Record a{"q1", "a1", "", {}};
  const Record b{"q2", "a2", "", {}};
  EXPECT_NE(split_digest({a, b}), split_digest({b, a}));
  EXPECT_NE(split_digest({{"ab", "c", "", {}}}), split_digest({{"a", "bc", "", {}}}));
  EXPECT_EQ(split_digest({{"q", "a", "paraphrase", {"wrong"}}}),
            split_digest({{"q", "a", "", {}}}));
}

}  // namespace
}  // namespace tofu
