// The `post_processor` of a tokenizer.json: special tokens around the text, and offsets without
// white space.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "text/aligned_text.hpp"
#include "text/json_field.hpp"
#include "text/subword_model.hpp"

namespace tofu {

// A token with its spelling (of an added token: the text that matched) and its place in the text.
struct PlacedToken {
  std::int64_t id = 0;
  std::string_view token;
  ByteSpan offset;
};

struct PostProcessInput {
  std::string_view text;
  bool add_special_tokens = true;
};

using PostProcessor = std::function<void(std::vector<PlacedToken>&, const PostProcessInput&)>;

// The post-processor that `field` describes (null: none), as it acts on single texts.
// Error{input_data} naming what is not implemented.
PostProcessor parse_post_processor(const JsonField& field);

// Puts these ids around the text where special tokens are wanted.
PostProcessor surround_with(std::vector<std::int64_t> before, std::vector<std::int64_t> after);

}  // namespace tofu
