#include "identify/words.hpp"

#include <gtest/gtest.h>

namespace tofu {
namespace {

std::vector<std::string> texts(std::string_view text, const std::vector<WordSpan>& spans) {
  std::vector<std::string> result;
  for (const WordSpan& span : spans) result.emplace_back(text_of(text, span));
  return result;
}

// Marks in brackets.
std::vector<std::string> parts(std::string_view text) {
  std::vector<std::string> result;
  for (const TextPart& part : words_and_marks(text)) {
    const std::string piece(text_of(text, part.span));
    result.push_back(part.is_word ? piece : "[" + piece + "]");
  }
  return result;
}

using Texts = std::vector<std::string>;

TEST(Words, WhiteSpaceOfAnyKindSeparates) {
  const std::string text = " \"Née  à\u00A0Kovařík.\r\nYes ";
  EXPECT_EQ(texts(text, space_separated_words(text)), (Texts{"\"Née", "à", "Kovařík.", "Yes"}));
  EXPECT_TRUE(space_separated_words("").empty());
  EXPECT_TRUE(space_separated_words(" \t\n").empty());
}

TEST(Words, MarksStandApartUnlessTheyStandInside) {
  EXPECT_EQ(parts("Al-Kuwaiti's \"Le Petit,\" 08/09/1956."),
            (Texts{"Al-Kuwaiti's", "[\"]", "Le", "Petit", "[,]", "[\"]", "08/09/1956", "[.]"}));
  EXPECT_EQ(parts("3,000 1-a a,b -x x- 'tis rock’n’roll"),
            (Texts{"3,000", "1-a", "a", "[,]", "b", "[-]", "x", "x", "[-]", "[']", "tis",
                   "rock’n’roll"}));
  EXPECT_EQ(parts("日本。"), (Texts{"日本", "[。]"}));
}

TEST(Words, CombiningMarksBelongToTheirLetter) {
  EXPECT_EQ(parts("Zoe\u0308 x"), (Texts{"Zoe\u0308", "x"}));
}

TEST(Words, KeysAreTheSameForOneWord) {
  EXPECT_EQ(word_key("Al-Kuwaiti’s"), word_key("al-kuwaiti"));
  EXPECT_EQ(word_key("O’Neil"), "o'neil");
  EXPECT_EQ(word_key("'s"), "'s");
}

TEST(Words, LowerCaseAndStrip) {
  EXPECT_EQ(lower_case("ÉCOLE Straße ΑΒ"), "école straße αβ");
  EXPECT_EQ(strip(" \t a b\n"), "a b");
  EXPECT_EQ(strip(" "), "");
}

}  // namespace
}  // namespace tofu
