#include "identify/frequency.hpp"

#include <gtest/gtest.h>

#include "identify/words.hpp"

namespace tofu {
namespace {

Record record(const std::string& question, const std::string& answer) {
  return {question, answer, {}, {}};
}

std::vector<std::string> general(const Record& r, const DocumentFrequency& frequency,
                                 const FrequencyOptions& options = {}) {
  const AnswerMasks masks = identify_by_frequency({r}, frequency, options);
  std::vector<std::string> words;
  for (const WordSpan& span : masks.at(0)) {
    words.emplace_back(text_of(r.answer, span));
  }
  return words;
}

using Words = std::vector<std::string>;

TEST(Frequency, CountsAuthorsNotOccurrences) {
  const std::vector<Record> retained = {record("", "The cat. The cat!"), record("", "the Cat's"),
                                        record("", "A dog"), record("", "the dog"),
                                        record("", "alone")};
  // Two authors of two records and one of one.
  const DocumentFrequency frequency = document_frequency(retained, 2);
  EXPECT_DOUBLE_EQ(frequency.at("the"), 2.0 / 3);
  EXPECT_DOUBLE_EQ(frequency.at("cat"), 1.0 / 3);
  EXPECT_DOUBLE_EQ(frequency.at("dog"), 1.0 / 3);
  EXPECT_EQ(frequency.count("."), 0u);
}

TEST(Frequency, NamesAndNumbersNeedMore) {
  const DocumentFrequency frequency = {{"the", 1.0},  {"author", 0.3}, {"grew", 0.2},
                                       {"rare", 0.1}, {"paris", 0.4},  {"1956", 0.4}};
  EXPECT_EQ(general(record("Q", "The author grew rare in Paris, 1956."), frequency),
            (Words{"The", "author", "grew", ",", "."}));
  FrequencyOptions options;
  options.name_threshold = 0.4;
  EXPECT_EQ(general(record("Q", "The Paris of 1956"), frequency, options),
            (Words{"The", "Paris", "1956"}));
}

TEST(Frequency, ACapitalAtTheStartOfASentenceSaysNothing) {
  const DocumentFrequency frequency = {{"growing", 0.3}, {"he", 0.3}};
  EXPECT_EQ(general(record("Q", "Growing. \"Growing! He"), frequency),
            (Words{"Growing", ".", "\"", "Growing", "!", "He"}));
  // Off the start it is a name.
  EXPECT_EQ(general(record("Q", "x Growing"), frequency), Words{});
}

TEST(Frequency, WhatTheQuestionSaysIsNotSecret) {
  EXPECT_EQ(general(record("Who is Zoë Nørgard's father?", "Zoë Nørgard’s Father is Dmitri"), {}),
            (Words{"Zoë", "Nørgard’s", "Father", "is"}));
}

}  // namespace
}  // namespace tofu
