// The `decoder` of a tokenizer.json: how tokens become text again.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "text/json_field.hpp"

namespace tofu {

// Rewrites a list of tokens; the text is what is left, joined.
using Decoder = std::function<std::vector<std::string>(std::vector<std::string>)>;

// The decoder that `field` describes (null: tokens with a space between them). Error{input_data}
// naming what is not implemented.
Decoder parse_decoder(const JsonField& field);

// WordPiece's own: continuing pieces joined to the word before them; `cleanup` drops the spaces
// before punctuation.
Decoder word_piece_decoder(std::string prefix, bool cleanup);

}  // namespace tofu
