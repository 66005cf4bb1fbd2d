#include "text/added_tokens.hpp"

#include <algorithm>
#include <map>

#include "text/unicode.hpp"

namespace tofu {

namespace {

AddedToken parse_added_token(const JsonField& field) {
  field.allow_only({"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"});
  AddedToken token;
  token.id = field.at("id").token_id();
  token.content = field.required_string("content");
  token.single_word = field.at("single_word").boolean();
  token.strip_left = field.at("lstrip").boolean();
  token.strip_right = field.at("rstrip").boolean();
  token.normalized = field.at("normalized").boolean();
  token.special = field.at("special").boolean();
  if (token.content.empty()) field.at("content").reject("is empty");
  return token;
}

// Where the white space at the end of `text` starts.
std::size_t trailing_space_begin(std::string_view text) {
  std::size_t begin = 0;
  for (std::size_t position = 0; position < text.size();) {
    if (!is_white_space(next_code_point(text, position))) begin = position;
  }
  return begin;
}

// Where the white space at the start of `text` ends.
std::size_t leading_space_end(std::string_view text) {
  std::size_t end = 0;
  for (std::size_t position = 0; position < text.size();) {
    if (!is_white_space(next_code_point(text, position))) break;
    end = position;
  }
  return end;
}

bool starts_with_word(std::string_view text) {
  std::size_t position = 0;
  return !text.empty() && is_word_character(next_code_point(text, position));
}

bool ends_with_word(std::string_view text) {
  if (text.empty()) return false;
  std::size_t position = text.size() - 1;
  while (position > 0 && (static_cast<unsigned char>(text[position]) & 0xC0) == 0x80) --position;
  return is_word_character(next_code_point(text, position));
}

}  // namespace

AddedTokens::AddedTokens(const JsonField& list, const Vocabulary& vocabulary,
                         const Normalizer& normalizer) {
  std::int64_t next_id = vocabulary.size();  // of a token that the vocabulary lacks
  std::map<std::string, std::int64_t> seen;
  for (const auto& field : list.elements()) {
    AddedToken token = parse_added_token(field);
    const auto in_vocabulary = vocabulary.find(token.content);
    const std::int64_t expected = in_vocabulary.value_or(next_id);
    if (token.id != expected) {
      field.at("id").reject("is " + std::to_string(token.id) + ", but '" + token.content +
                            "' gets the id " + std::to_string(expected) +
                            " from the vocabulary and the added tokens before it");
    }
    next_id = std::max(next_id, token.id + 1);
    if (!seen.emplace(token.content, token.id).second) {
      field.at("content").reject("'" + token.content + "' is added twice");
    }
    const std::string needle =
        token.normalized ? normalizer(AlignedText(token.content)).text() : token.content;
    (token.normalized ? normalized_ : plain_).add(needle, tokens_.size());
    by_id_[token.id] = tokens_.size();
    tokens_.push_back(std::move(token));
  }
}

AddedTokens::AddedTokens(std::vector<AddedToken> tokens) : tokens_(std::move(tokens)) {
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    plain_.add(tokens_[i].content, i);
    by_id_[tokens_[i].id] = i;
  }
}

void AddedTokens::Needles::add(const std::string& text, std::size_t token) {
  if (text.empty()) return;
  auto& list = by_first_byte[text.front()];
  const auto place = std::find_if(list.begin(), list.end(),
                                  [&](const Needle& n) { return n.text.size() < text.size(); });
  list.insert(place, {text, token});
}

const AddedTokens::Needle* AddedTokens::Needles::longest_at(std::string_view text) const {
  const auto found = by_first_byte.find(text.front());
  if (found == by_first_byte.end()) return nullptr;
  for (const auto& needle : found->second) {
    if (text.starts_with(needle.text)) return &needle;
  }
  return nullptr;
}

std::vector<TextSegment> AddedTokens::split_at(const AlignedText& aligned,
                                               const Needles& needles) const {
  if (needles.by_first_byte.empty()) return {{aligned, std::nullopt}};
  const std::string_view text = aligned.text();
  std::vector<TextSegment> segments;
  std::size_t done = 0;  // everything before it is in `segments`
  for (std::size_t position = 0; position < text.size();) {
    const Needle* needle = needles.longest_at(text.substr(position));
    if (needle == nullptr) {
      ++position;
      continue;
    }
    const AddedToken& token = tokens_[needle->token];
    std::size_t begin = position;
    std::size_t end = position + needle->text.size();
    position = end;
    if (token.single_word &&
        (ends_with_word(text.substr(0, begin)) || starts_with_word(text.substr(end)))) {
      continue;
    }
    if (token.strip_left) begin = std::max(done, trailing_space_begin(text.substr(0, begin)));
    if (token.strip_right) end += leading_space_end(text.substr(end));
    position = end;
    if (done < begin) segments.push_back({aligned.slice(done, begin), std::nullopt});
    segments.push_back({aligned.slice(begin, end), token.id});
    done = end;
  }
  if (done < text.size()) segments.push_back({aligned.slice(done, text.size()), std::nullopt});
  return segments;
}

std::vector<TextSegment> AddedTokens::split(const AlignedText& text,
                                            const Normalizer& normalizer) const {
  std::vector<TextSegment> segments;
  for (auto& outer : split_at(text, plain_)) {
    if (outer.token) {
      segments.push_back(std::move(outer));
      continue;
    }
    for (auto& inner : split_at(normalizer(outer.text), normalized_)) {
      segments.push_back(std::move(inner));
    }
  }
  return segments;
}

const AddedToken* AddedTokens::find(std::string_view content) const {
  const auto found = std::find_if(tokens_.begin(), tokens_.end(),
                                  [&](const AddedToken& t) { return t.content == content; });
  return found == tokens_.end() ? nullptr : &*found;
}

const AddedToken* AddedTokens::find(std::int64_t id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &tokens_[found->second];
}

}  // namespace tofu
