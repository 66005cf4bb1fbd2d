// WordPiece as in BERT: the longest entry of the vocabulary that the word starts with, then the
// longest that continues it, and so on; a word that cannot be cut so is one unknown token.
#include "base/error.hpp"
#include "text/subword_model.hpp"
#include "text/unicode.hpp"

namespace tofu {

namespace {

class WordPiece : public SubwordModel {
 public:
  WordPiece(Vocabulary vocabulary, std::int64_t unknown, std::string continuing_prefix,
            std::int64_t max_characters)
      : SubwordModel(std::move(vocabulary)),
        unknown_(unknown),
        continuing_prefix_(std::move(continuing_prefix)),
        max_characters_(max_characters) {}

  std::vector<WordToken> tokenize(std::string_view word) const override {
    std::vector<std::size_t> bounds{0};  // where characters start, and the end
    while (bounds.back() < word.size()) {
      bounds.push_back(bounds.back() + utf8_length(word[bounds.back()]));
    }
    const std::size_t characters = bounds.size() - 1;
    const std::vector<WordToken> unknown{{unknown_, {0, word.size()}}};
    if (characters > static_cast<std::size_t>(max_characters_)) return unknown;
    std::vector<WordToken> tokens;
    for (std::size_t begin = 0; begin < characters;) {
      std::size_t end = characters;
      std::optional<std::int64_t> id;
      for (; end > begin; --end) {
        std::string part(word.substr(bounds[begin], bounds[end] - bounds[begin]));
        if (begin > 0) part.insert(0, continuing_prefix_);
        id = vocabulary().find(part);
        if (id) break;
      }
      if (!id) return unknown;
      tokens.push_back({*id, {bounds[begin], bounds[end]}});
      begin = end;
    }
    return tokens;
  }

 private:
  std::int64_t unknown_;
  std::string continuing_prefix_;
  std::int64_t max_characters_;
};

constexpr std::int64_t kMaxCharacters = 100;

}  // namespace

std::unique_ptr<SubwordModel> parse_word_piece(const JsonField& field) {
  field.allow_only(
      {"type", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word", "vocab"});
  Vocabulary vocabulary = parse_vocabulary(field.at("vocab"));
  const auto unknown = vocabulary.find(field.string_or("unk_token", "[UNK]"));
  if (!unknown) field.reject("the unknown token is not in the vocabulary");
  const std::int64_t max_characters = field.has("max_input_chars_per_word")
                                          ? field.at("max_input_chars_per_word").count()
                                          : kMaxCharacters;
  return std::make_unique<WordPiece>(std::move(vocabulary), *unknown,
                                     field.string_or("continuing_subword_prefix", "##"),
                                     max_characters);
}

std::unique_ptr<SubwordModel> load_word_piece_vocabulary(const std::filesystem::path& path) {
  const std::string content = read_text_file(path);
  Vocabulary vocabulary;
  std::int64_t line = 0;
  for (std::size_t begin = 0; begin < content.size(); ++line) {
    const std::size_t end = std::min(content.find('\n', begin), content.size());
    std::string token = content.substr(begin, end - begin);
    if (token.ends_with('\r')) token.pop_back();
    vocabulary.add(token, line);
    begin = end + 1;
  }
  for (const std::string_view token : {"[UNK]", "[CLS]", "[SEP]"}) {
    if (!vocabulary.find(token)) {
      fail(ErrorCategory::input_data,
           "{}: has no line '{}', so it is not BERT's vocabulary (or is cut short)", path.string(),
           token);
    }
  }
  const std::int64_t unknown = *vocabulary.find("[UNK]");
  return std::make_unique<WordPiece>(std::move(vocabulary), unknown, "##", kMaxCharacters);
}

}  // namespace tofu
