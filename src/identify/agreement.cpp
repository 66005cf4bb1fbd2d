#include "identify/agreement.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "identify/words.hpp"

namespace tofu {
namespace {

constexpr std::size_t kDisputesShown = 15;

double ratio(std::int64_t part, std::int64_t whole, double otherwise) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : otherwise;
}

std::int64_t count_unwanted(const std::vector<LabelledWord>& words) {
  return std::count_if(words.begin(), words.end(),
                       [](const LabelledWord& word) { return word.unwanted; });
}

std::string disputes_text(const std::map<std::string, Agreement::Dispute>& disputes) {
  std::vector<std::pair<std::string, Agreement::Dispute>> sorted(disputes.begin(), disputes.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& x, const auto& y) {
    return x.second.a_alone + x.second.b_alone > y.second.a_alone + y.second.b_alone;
  });
  sorted.resize(std::min(sorted.size(), kDisputesShown));
  std::string text;
  for (const auto& [word, dispute] : sorted) {
    text += fmt::format("  {:5}  {:5}  {}\n", dispute.a_alone, dispute.b_alone, word);
  }
  return text;
}

}  // namespace

std::vector<LabelledWord> label_words(const std::string& answer,
                                      const std::vector<WordSpan>& general) {
  std::vector<LabelledWord> words;
  for (const TextPart& part : words_and_marks(answer)) {
    if (!part.is_word) continue;
    const bool is_general = std::any_of(general.begin(), general.end(), [&](const WordSpan& span) {
      return part.span.begin < span.end && part.span.end > span.begin;
    });
    words.push_back({part.span, !is_general});
  }
  return words;
}

double Agreement::share_a() const {
  return ratio(unwanted_in_both + unwanted_in_a_alone, words, 0);
}

double Agreement::share_b() const {
  return ratio(unwanted_in_both + unwanted_in_b_alone, words, 0);
}

double Agreement::kappa() const {
  const double observed = 1 - ratio(unwanted_in_a_alone + unwanted_in_b_alone, words, 0);
  const double by_chance = share_a() * share_b() + (1 - share_a()) * (1 - share_b());
  return by_chance < 1 ? (observed - by_chance) / (1 - by_chance) : 1;
}

double Agreement::precision() const {
  return ratio(unwanted_in_both, unwanted_in_both + unwanted_in_a_alone, 1);
}

double Agreement::recall() const {
  return ratio(unwanted_in_both, unwanted_in_both + unwanted_in_b_alone, 1);
}

Agreement compare_masks(const std::vector<Record>& records, const AnswerMasks& a,
                        const AnswerMasks& b) {
  Agreement result;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const std::string& answer = records[i].answer;
    const auto words_a = label_words(answer, a.at(i));
    const auto words_b = label_words(answer, b.at(i));
    ++result.answers;
    result.answers_without_unwanted_a += count_unwanted(words_a) == 0 ? 1 : 0;
    result.answers_without_unwanted_b += count_unwanted(words_b) == 0 ? 1 : 0;
    for (std::size_t w = 0; w < words_a.size(); ++w) {
      ++result.words;
      const bool in_a = words_a[w].unwanted;
      const bool in_b = words_b[w].unwanted;
      result.unwanted_in_both += in_a && in_b ? 1 : 0;
      if (in_a == in_b) continue;
      ++(in_a ? result.unwanted_in_a_alone : result.unwanted_in_b_alone);
      auto& dispute = result.disputes[word_key(text_of(answer, words_a[w].span))];
      ++(in_a ? dispute.a_alone : dispute.b_alone);
    }
  }
  return result;
}

std::string agreement_report(const std::map<std::string, Agreement>& by_split) {
  std::string text = fmt::format("{:<12} {:>7} {:>7} {:>10} {:>10} {:>7} {:>9} {:>7} {:>7} {:>7}\n",
                                 "split", "answers", "words", "unwanted A", "unwanted B", "kappa",
                                 "precision", "recall", "none A", "none B");
  std::map<std::string, Agreement::Dispute> disputes;
  for (const auto& [split, agreement] : by_split) {
    text += fmt::format(
        "{:<12} {:>7} {:>7} {:>8.1f} % {:>8.1f} % {:>7.3f} {:>9.3f} {:>7.3f} {:>7} {:>7}\n",
        split.empty() ? "-" : split, agreement.answers, agreement.words, 100 * agreement.share_a(),
        100 * agreement.share_b(), agreement.kappa(), agreement.precision(), agreement.recall(),
        agreement.answers_without_unwanted_a, agreement.answers_without_unwanted_b);
    for (const auto& [word, dispute] : agreement.disputes) {
      disputes[word].a_alone += dispute.a_alone;
      disputes[word].b_alone += dispute.b_alone;
    }
  }
  if (disputes.empty()) return text;
  return text + "\nthe most disputed words: unwanted in A alone, in B alone\n" +
         disputes_text(disputes);
}

}  // namespace tofu
