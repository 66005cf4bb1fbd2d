// Question and answer to token ids with what each position has to predict: the word-to-token masks.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "config/job_config.hpp"
#include "data/record.hpp"
#include "data/sample.hpp"
#include "text/tokenizer.hpp"

namespace tofu {

// How it is told which tokens belong to the prompt.
enum class PromptBorder {
  // By the number of tokens of the prompt alone, as the published program does: a token that spans
  // the border between prompt and answer counts as prompt. The answer's tag is part of the prompt
  // where there is a mask, of the answer where there is none. For families of Llama-3 a token
  // reaches to the start of the next one, and the last one is empty, when words are matched.
  published,
  // By the place of each token in the text: what reaches into the answer is answer.
  offsets,
};

// "published" or "offsets"; Error{usage} otherwise.
PromptBorder parse_prompt_border(std::string_view name);

struct TokenizeOptions {
  std::int64_t max_length = 500;  // tokens, special ones included; more are cut off
  PromptBorder border = PromptBorder::published;
  std::int64_t end_token = 0;  // what an answer that was not cut is followed by
};

// question_start_tag + question + question_end_tag
std::string prompt_text(const ModelFamily& family, std::string_view question);
// answer_tag + answer
std::string answer_text(const ModelFamily& family, std::string_view answer);

// The sample of one record: the ids of prompt and answer behind the special tokens that the
// tokenizer puts in front (those it puts behind are left out). Targets are prompt, general (they
// overlap one of `general_words`), or unwanted; without a mask the whole answer is unwanted. The
// last position predicts end_token with kind end if the sequence is shorter than max_length; else
// its target is -1 and its kind prompt.
// Error{input_data} if the answer is empty or a word lies outside it; Error{usage} if max_length
// is not positive.
Sample tokenize_sample(const Tokenizer& tokenizer, const ModelFamily& family,
                       std::string_view question, std::string_view answer,
                       std::span<const WordSpan> general_words, bool has_mask,
                       const TokenizeOptions& options);

}  // namespace tofu
