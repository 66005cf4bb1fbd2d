// The `model` of a tokenizer.json: a vocabulary and how a word is cut into its entries.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/aligned_text.hpp"
#include "text/json_field.hpp"

namespace tofu {

// Tokens and their ids, both ways.
class Vocabulary {
 public:
  void add(const std::string& token, std::int64_t id);
  std::optional<std::int64_t> find(std::string_view token) const;
  const std::string* token(std::int64_t id) const;  // null: no such id
  std::int64_t size() const { return static_cast<std::int64_t>(ids_.size()); }
  std::int64_t highest_id() const { return highest_id_; }  // -1: empty

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  std::unordered_map<std::string, std::int64_t, Hash, std::equal_to<>> ids_;
  std::unordered_map<std::int64_t, std::string> tokens_;
  std::int64_t highest_id_ = -1;
};

// A token and the bytes of the word that it covers.
struct WordToken {
  std::int64_t id = 0;
  ByteSpan span;
};

class SubwordModel {
 public:
  virtual ~SubwordModel() = default;
  virtual std::vector<WordToken> tokenize(std::string_view word) const = 0;
  const Vocabulary& vocabulary() const { return vocabulary_; }

 protected:
  explicit SubwordModel(Vocabulary vocabulary) : vocabulary_(std::move(vocabulary)) {}

 private:
  Vocabulary vocabulary_;
};

// Reads {"token": id, ...}. Error{input_data} if it is empty or an id is no token id.
Vocabulary parse_vocabulary(const JsonField& field);

// Byte-pair encoding or WordPiece, as `field` says. Error{input_data} naming what is not
// implemented, or a merge whose parts or result are no tokens.
std::unique_ptr<SubwordModel> parse_subword_model(const JsonField& field);
std::unique_ptr<SubwordModel> parse_byte_pair_encoding(const JsonField& field);
std::unique_ptr<SubwordModel> parse_word_piece(const JsonField& field);

// BERT's vocab.txt: a token a line, its id the line's number from 0.
std::unique_ptr<SubwordModel> load_word_piece_vocabulary(const std::filesystem::path& path);

}  // namespace tofu
