#include "text/rouge.hpp"

#include <algorithm>
#include <map>

#include "text/porter_stemmer.hpp"
#include "text/unicode.hpp"

namespace tofu {

namespace {

RougeScore score(std::size_t common, std::size_t reference_size, std::size_t candidate_size) {
  RougeScore result;
  if (common == 0) return result;
  result.precision = static_cast<double>(common) / static_cast<double>(candidate_size);
  result.recall = static_cast<double>(common) / static_cast<double>(reference_size);
  result.f1 = 2 * result.precision * result.recall / (result.precision + result.recall);
  return result;
}

using NgramCounts = std::map<std::vector<std::string>, std::size_t>;

NgramCounts count_ngrams(const std::vector<std::string>& words, std::size_t n) {
  NgramCounts counts;
  for (auto first = words.begin(); words.end() - first >= static_cast<std::ptrdiff_t>(n); ++first) {
    ++counts[{first, first + static_cast<std::ptrdiff_t>(n)}];
  }
  return counts;
}

std::size_t longest_common_subsequence(const std::vector<std::string>& a,
                                       const std::vector<std::string>& b) {
  // length[j]: of a's words so far and the first j of b.
  std::vector<std::size_t> length(b.size() + 1, 0);
  for (const auto& word : a) {
    std::size_t diagonal = 0;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = length[j];
      length[j] = word == b[j - 1] ? diagonal + 1 : std::max(above, length[j - 1]);
      diagonal = above;
    }
  }
  return length.back();
}

}  // namespace

std::vector<std::string> rouge_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  const auto finish = [&] {
    if (word.empty()) return;
    words.push_back(word.size() > 3 ? porter_stem(word) : word);
    word.clear();
  };
  for (std::size_t position = 0; position < text.size();) {
    // Lower case first: the Kelvin sign, for one, becomes a k.
    for (const char32_t c : to_lower(next_code_point(text, position))) {
      if ((c >= U'a' && c <= U'z') || (c >= U'0' && c <= U'9')) {
        word += static_cast<char>(c);
      } else {
        finish();
      }
    }
  }
  finish();
  return words;
}

RougeScore rouge_n(std::string_view reference, std::string_view candidate, std::size_t n) {
  const auto reference_words = rouge_words(reference);
  const auto candidate_words = rouge_words(candidate);
  if (reference_words.size() < n || candidate_words.size() < n) return {};
  const auto reference_counts = count_ngrams(reference_words, n);
  const auto candidate_counts = count_ngrams(candidate_words, n);
  std::size_t common = 0;
  for (const auto& [ngram, count] : reference_counts) {
    const auto found = candidate_counts.find(ngram);
    if (found != candidate_counts.end()) common += std::min(count, found->second);
  }
  return score(common, reference_words.size() - n + 1, candidate_words.size() - n + 1);
}

RougeScore rouge_l(std::string_view reference, std::string_view candidate) {
  const auto reference_words = rouge_words(reference);
  const auto candidate_words = rouge_words(candidate);
  return score(longest_common_subsequence(reference_words, candidate_words), reference_words.size(),
               candidate_words.size());
}

}  // namespace tofu
