// UTF-8 and the few Unicode properties that tokenizers ask for.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tofu {

// Where `text` stops being UTF-8 (byte position), or nothing if all of it is.
std::optional<std::size_t> find_invalid_utf8(std::string_view text);

// `bytes` with each longest broken sequence replaced by U+FFFD.
std::string replace_invalid_utf8(std::string_view bytes);

// The code point at `position` of valid UTF-8; moves `position` behind it.
char32_t next_code_point(std::string_view text, std::size_t& position);

// Bytes of the character whose first byte is `lead`, in valid UTF-8.
std::size_t utf8_length(char lead);

void append_utf8(std::string& text, char32_t code_point);

bool is_white_space(char32_t code_point);      // Unicode White_Space
bool is_numeric(char32_t code_point);          // Nd, Nl, No
bool is_punctuation(char32_t code_point);      // ASCII punctuation and symbols; category P
bool is_mark(char32_t code_point);             // Mn, Mc, Me
bool is_nonspacing_mark(char32_t code_point);  // Mn
bool is_control(char32_t code_point);          // Cc, Cf, Co, Cn and surrogates
// What \w matches in added tokens: letters (circled ones too), marks, digits, connectors, joiners.
bool is_word_character(char32_t code_point);

// Lower case without context, as one or two code points.
std::u32string to_lower(char32_t code_point);

}  // namespace tofu
