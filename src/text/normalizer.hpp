// The `normalizer` of a tokenizer.json: how text is rewritten before it is split into words.
#pragma once

#include <functional>

#include "text/aligned_text.hpp"
#include "text/json_field.hpp"

namespace tofu {

using Normalizer = std::function<AlignedText(const AlignedText&)>;

// The normalizer that `field` describes (null: none). Error{input_data} naming what is not
// implemented.
Normalizer parse_normalizer(const JsonField& field);

// BERT's own: control characters dropped, white space made spaces, Chinese characters set apart,
// accents stripped and letters lowered as told.
struct BertNormalizerOptions {
  bool clean_text = true;
  bool handle_chinese_chars = true;
  bool strip_accents = true;
  bool lowercase = true;
};
Normalizer bert_normalizer(const BertNormalizerOptions& options);

// `text` with every match of `matches` replaced; the new text stands for the last character of the
// match, as in Hugging Face's tokenizers.
AlignedText replace_matches(const AlignedText& text, const std::vector<ByteSpan>& matches,
                            std::string_view content);

}  // namespace tofu
