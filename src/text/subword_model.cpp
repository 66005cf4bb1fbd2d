#include "text/subword_model.hpp"

namespace tofu {

void Vocabulary::add(const std::string& token, std::int64_t id) {
  ids_[token] = id;
  tokens_[id] = token;
  highest_id_ = std::max(highest_id_, id);
}

std::optional<std::int64_t> Vocabulary::find(std::string_view token) const {
  const auto found = ids_.find(token);
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

const std::string* Vocabulary::token(std::int64_t id) const {
  const auto found = tokens_.find(id);
  return found == tokens_.end() ? nullptr : &found->second;
}

Vocabulary parse_vocabulary(const JsonField& field) {
  if (!field.json().is_object() || field.json().empty()) {
    field.reject("should be an object of tokens and ids, and not empty");
  }
  Vocabulary vocabulary;
  for (const auto& [token, id] : field.json().items()) {
    vocabulary.add(token, field.at(token).token_id());
  }
  return vocabulary;
}

std::unique_ptr<SubwordModel> parse_subword_model(const JsonField& field) {
  // Files of older libraries do not name the type; the merges tell it.
  const std::string type = field.string_or("type", field.has("merges") ? "BPE" : "WordPiece");
  if (type == "BPE") return parse_byte_pair_encoding(field);
  if (type == "WordPiece") return parse_word_piece(field);
  field.reject("the model '" + type + "' is not implemented");
}

}  // namespace tofu
