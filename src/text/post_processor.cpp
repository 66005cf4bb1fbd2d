#include "text/post_processor.hpp"

#include <algorithm>

#include "text/unicode.hpp"

namespace tofu {

namespace {

constexpr char32_t kByteLevelSpace = U'\u0120';

bool is_token_space(char32_t c) {
  return c == kByteLevelSpace || is_white_space(c);
}

// How many characters of white space `token` starts and ends with.
std::pair<std::size_t, std::size_t> count_spaces(std::string_view token) {
  std::size_t leading = 0;
  std::size_t trailing = 0;
  bool only_spaces = true;
  for (std::size_t position = 0; position < token.size();) {
    const bool space = is_token_space(next_code_point(token, position));
    only_spaces = only_spaces && space;
    if (only_spaces) ++leading;
    trailing = space ? trailing + 1 : 0;
  }
  return {leading, trailing};
}

std::size_t forward(std::string_view text, std::size_t position, std::size_t characters) {
  for (; characters > 0 && position < text.size(); --characters) {
    position += utf8_length(text[position]);
  }
  return position;
}

std::size_t backward(std::string_view text, std::size_t position, std::size_t characters) {
  for (; characters > 0 && position > 0; --characters) {
    --position;
    while (position > 0 && (static_cast<unsigned char>(text[position]) & 0xC0) == 0x80) --position;
  }
  return position;
}

PostProcessor trim_offsets(bool add_prefix_space) {
  return [add_prefix_space](std::vector<PlacedToken>& tokens, const PostProcessInput& input) {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      ByteSpan& offset = tokens[i].offset;
      auto [leading, trailing] = count_spaces(tokens[i].token);
      // One space in front of the text is the one that was added, and is not in the text.
      const bool first = i == 0 || offset.begin == 0;
      if (first && add_prefix_space && leading == 1) leading = 0;
      offset.begin = std::min(forward(input.text, offset.begin, leading), offset.end);
      offset.end = std::max(backward(input.text, offset.end, trailing), offset.begin);
    }
  };
}

PostProcessor in_order(std::vector<PostProcessor> steps) {
  return
      [steps = std::move(steps)](std::vector<PlacedToken>& tokens, const PostProcessInput& input) {
        for (const auto& step : steps) step(tokens, input);
      };
}

// ["</s>", 2]
std::int64_t parse_token_and_id(const JsonField& field) {
  const auto parts = field.elements();
  if (parts.size() != 2) field.reject("should be a token and its id");
  return parts[1].token_id();
}

std::vector<std::int64_t> template_ids(const JsonField& special_tokens, const std::string& name) {
  std::vector<std::int64_t> ids;
  for (const auto& id : special_tokens.at(name).at("ids").elements()) {
    ids.push_back(id.token_id());
  }
  return ids;
}

PostProcessor parse_template(const JsonField& field) {
  field.allow_only({"type", "single", "pair", "special_tokens"});
  std::vector<std::int64_t> before;
  std::vector<std::int64_t> after;
  bool seen_text = false;
  for (const auto& piece : field.at("single").elements()) {
    piece.allow_only({"SpecialToken", "Sequence"});
    if (piece.has("SpecialToken")) {
      const auto ids =
          template_ids(field.at("special_tokens"), piece.at("SpecialToken").required_string("id"));
      auto& side = seen_text ? after : before;
      side.insert(side.end(), ids.begin(), ids.end());
      continue;
    }
    const auto sequence = piece.at("Sequence");
    if (sequence.required_string("id") != "A" || seen_text) {
      sequence.reject("a template for single texts has the sequence A once");
    }
    seen_text = true;
  }
  if (!seen_text) field.at("single").reject("has no sequence A");
  return surround_with(std::move(before), std::move(after));
}

PostProcessor parse_sequence(const JsonField& field) {
  field.allow_only({"type", "processors"});
  std::vector<PostProcessor> steps;
  for (const auto& element : field.at("processors").elements()) {
    steps.push_back(parse_post_processor(element));
  }
  return in_order(std::move(steps));
}

}  // namespace

PostProcessor surround_with(std::vector<std::int64_t> before, std::vector<std::int64_t> after) {
  return [before = std::move(before), after = std::move(after)](std::vector<PlacedToken>& tokens,
                                                                const PostProcessInput& input) {
    if (!input.add_special_tokens) return;
    std::vector<PlacedToken> framed;
    framed.reserve(before.size() + tokens.size() + after.size());
    for (const auto id : before) framed.push_back({id, {}, {}});
    framed.insert(framed.end(), tokens.begin(), tokens.end());
    for (const auto id : after) framed.push_back({id, {}, {}});
    tokens = std::move(framed);
  };
}

PostProcessor parse_post_processor(const JsonField& field) {
  if (field.is_null()) return in_order({});
  const std::string type = field.required_string("type");
  if (type == "Sequence") return parse_sequence(field);
  if (type == "TemplateProcessing") return parse_template(field);
  if (type == "ByteLevel") {
    field.allow_only({"type", "add_prefix_space", "trim_offsets", "use_regex"});
    if (!field.boolean_or("trim_offsets", true)) return in_order({});
    return trim_offsets(field.boolean_or("add_prefix_space", true));
  }
  if (type == "BertProcessing" || type == "RobertaProcessing") {
    field.allow_only({"type", "sep", "cls", "trim_offsets", "add_prefix_space"});
    const auto frame =
        surround_with({parse_token_and_id(field.at("cls"))}, {parse_token_and_id(field.at("sep"))});
    if (type == "BertProcessing" || !field.boolean_or("trim_offsets", true)) return frame;
    return in_order({trim_offsets(field.boolean_or("add_prefix_space", true)), frame});
  }
  field.reject("the post-processor '" + type + "' is not implemented");
}

}  // namespace tofu
