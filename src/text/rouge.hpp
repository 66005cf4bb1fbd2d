// ROUGE-N and ROUGE-L (Lin 2004) as Google's rouge_score package computes them with
// use_stemmer=True.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tofu {

struct RougeScore {
  double precision = 0;
  double recall = 0;
  double f1 = 0;
};

// The words that are compared: lower-case ASCII letters and digits, stemmed if longer than three.
std::vector<std::string> rouge_words(std::string_view text);

// Overlap of n-grams, n >= 1. All zero if either text has none.
RougeScore rouge_n(std::string_view reference, std::string_view candidate, std::size_t n);

// Longest common subsequence of words. All zero if either text has no words.
RougeScore rouge_l(std::string_view reference, std::string_view candidate);

}  // namespace tofu
