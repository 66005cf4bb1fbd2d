#include "data/tokenize.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "base/error.hpp"

namespace tofu {

namespace {

void check_input(std::string_view question, std::string_view answer,
                 std::span<const WordSpan> general_words, const TokenizeOptions& options) {
  if (options.max_length <= 0) {
    fail(ErrorCategory::usage,
         "max_length is {}; set it to the tokens of a sample, for example 500", options.max_length);
  }
  if (answer.empty()) {
    fail(ErrorCategory::input_data,
         "the answer to '{}' is empty: there is nothing to train or score; remove the record",
         question);
  }
  for (const auto& word : general_words) {
    if (word.begin > word.end || word.end > answer.size()) {
      fail(ErrorCategory::input_data,
           "a general word at bytes {} to {} lies outside the answer '{}' of {} bytes: the masks "
           "belong to other data",
           word.begin, word.end, answer, answer.size());
    }
  }
}

// Without the tokens that the tokenizer puts behind a text: they stand for none of it.
Encoding encode_without_tail(const Tokenizer& tokenizer, std::string_view text) {
  Encoding encoding = tokenizer.encode(text);
  while (!encoding.ids.empty() && encoding.offsets.back() == ByteSpan{}) {
    encoding.ids.pop_back();
    encoding.offsets.pop_back();
  }
  return encoding;
}

// Each token reaches to the start of the next one; the last one is empty.
void stretch_to_next(std::vector<ByteSpan>& offsets) {
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    offsets[i].end = i + 1 < offsets.size() ? offsets[i + 1].begin : offsets[i].begin;
  }
}

bool overlaps_any(const ByteSpan& token, std::span<const WordSpan> words, std::size_t shift) {
  return std::any_of(words.begin(), words.end(), [&](const WordSpan& word) {
    return token.begin < word.end + shift && token.end > word.begin + shift;
  });
}

std::size_t count_prompt_tokens(const Tokenizer& tokenizer, const std::string& prompt,
                                const Encoding& encoding, PromptBorder border) {
  if (border == PromptBorder::published) {
    // A prompt without text is its special tokens alone.
    const std::size_t count =
        prompt.empty() ? 0 : encode_without_tail(tokenizer, prompt).ids.size();
    const auto special = std::find_if(encoding.offsets.begin(), encoding.offsets.end(),
                                      [](const ByteSpan& offset) { return offset.end > 0; });
    return std::max(count, static_cast<std::size_t>(special - encoding.offsets.begin()));
  }
  const auto answer =
      std::find_if(encoding.offsets.begin(), encoding.offsets.end(),
                   [&](const ByteSpan& offset) { return offset.end > prompt.size(); });
  return static_cast<std::size_t>(answer - encoding.offsets.begin());
}

}  // namespace

PromptBorder parse_prompt_border(std::string_view name) {
  if (name == "published") return PromptBorder::published;
  if (name == "offsets") return PromptBorder::offsets;
  fail(ErrorCategory::usage, "data.border is '{}'; it can be published or offsets", name);
}

std::string prompt_text(const ModelFamily& family, std::string_view question) {
  return family.question_start_tag + std::string(question) + family.question_end_tag;
}

std::string answer_text(const ModelFamily& family, std::string_view answer) {
  return family.answer_tag + std::string(answer);
}

Sample tokenize_sample(const Tokenizer& tokenizer, const ModelFamily& family,
                       std::string_view question, std::string_view answer,
                       std::span<const WordSpan> general_words, bool has_mask,
                       const TokenizeOptions& options) {
  check_input(question, answer, general_words, options);
  const bool published = options.border == PromptBorder::published;
  const std::string before_answer = prompt_text(family, question) + family.answer_tag;
  Encoding encoding = encode_without_tail(tokenizer, before_answer + std::string(answer));
  const std::string prompt = published && !has_mask ? prompt_text(family, question) : before_answer;
  const std::size_t prompt_tokens =
      count_prompt_tokens(tokenizer, prompt, encoding, options.border);

  const auto max_length = static_cast<std::size_t>(options.max_length);
  const bool cut = encoding.ids.size() >= max_length;
  encoding.ids.resize(std::min(encoding.ids.size(), max_length));
  encoding.offsets.resize(encoding.ids.size());
  if (published && family.hf_key.find("Llama-3") != std::string::npos) {
    stretch_to_next(encoding.offsets);
  }

  Sample sample;
  sample.ids = encoding.ids;
  for (std::size_t i = 1; i < encoding.ids.size(); ++i) {
    sample.targets.push_back(encoding.ids[i]);
    const bool general =
        has_mask && overlaps_any(encoding.offsets[i], general_words, before_answer.size());
    sample.kinds.push_back(i < prompt_tokens ? TokenKind::prompt
                           : general         ? TokenKind::general
                                             : TokenKind::unwanted);
  }
  sample.targets.push_back(cut ? -1 : options.end_token);
  sample.kinds.push_back(cut ? TokenKind::prompt : TokenKind::end);
  return sample;
}

}  // namespace tofu
