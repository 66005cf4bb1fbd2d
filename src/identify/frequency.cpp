#include "identify/frequency.hpp"

#include <algorithm>
#include <set>

#include "identify/words.hpp"
#include "text/unicode.hpp"

namespace tofu {
namespace {

bool has_digit(std::string_view word) {
  for (std::size_t position = 0; position < word.size();) {
    if (is_numeric(next_code_point(word, position))) return true;
  }
  return false;
}

bool is_capitalised(std::string_view word) {
  const std::string_view first = word.substr(0, utf8_length(word[0]));
  return lower_case(first) != first;
}

// Whether a word after this mark begins a sentence. Quotation marks and brackets may stand between.
bool ends_sentence(std::string_view mark) {
  return mark == "." || mark == "!" || mark == "?" || mark == ":" || mark == "\u2026";
}

bool is_opening(std::string_view mark) {
  for (const std::string_view opening : {"\"", "'", "(", "[", "\u201C", "\u2018", "\u00AB"}) {
    if (mark == opening) return true;
  }
  return false;
}

}  // namespace

DocumentFrequency document_frequency(const std::vector<Record>& retained,
                                     std::int64_t author_records) {
  DocumentFrequency frequency;
  const auto step = static_cast<std::size_t>(author_records);
  std::size_t authors = 0;
  for (std::size_t first = 0; first < retained.size(); first += step) {
    ++authors;
    std::set<std::string> keys;
    for (std::size_t i = first; i < std::min(retained.size(), first + step); ++i) {
      keys.merge(word_keys(retained[i].answer));
    }
    for (const std::string& key : keys) frequency[key] += 1;
  }
  for (auto& [key, count] : frequency) count /= static_cast<double>(authors);
  return frequency;
}

AnswerMasks identify_by_frequency(const std::vector<Record>& records,
                                  const DocumentFrequency& frequency,
                                  const FrequencyOptions& options) {
  AnswerMasks masks;
  for (const Record& record : records) {
    const std::set<std::string> asked = word_keys(record.question);
    std::vector<WordSpan> general;
    bool sentence_start = true;
    for (const TextPart& part : words_and_marks(record.answer)) {
      const std::string_view text = text_of(record.answer, part.span);
      if (!part.is_word) {
        general.push_back(part.span);
        sentence_start = ends_sentence(text) || (sentence_start && is_opening(text));
        continue;
      }
      const bool fact_like = has_digit(text) || (is_capitalised(text) && !sentence_start);
      const std::string key = word_key(text);
      const auto found = frequency.find(key);
      const double share = found == frequency.end() ? 0 : found->second;
      if (asked.contains(key) ||
          share >= (fact_like ? options.name_threshold : options.threshold)) {
        general.push_back(part.span);
      }
      sentence_start = false;
    }
    masks.push_back(std::move(general));
  }
  return masks;
}

}  // namespace tofu
