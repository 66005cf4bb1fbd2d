// The `pre_tokenizer` of a tokenizer.json: how text is split into the words that the model then
// tokenises one by one.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "text/aligned_text.hpp"
#include "text/json_field.hpp"

namespace tofu {

// Splits each piece further; gives no empty pieces.
using PreTokenizer = std::function<std::vector<AlignedText>(std::vector<AlignedText>)>;

// The pre-tokenizer that `field` describes (null: none). Error{input_data} naming what is not
// implemented.
PreTokenizer parse_pre_tokenizer(const JsonField& field);

// BERT's own: at white space, which goes, and around punctuation.
PreTokenizer bert_pre_tokenizer();

}  // namespace tofu
