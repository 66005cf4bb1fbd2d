// Byte-pair encoding as Hugging Face's tokenizers do it: a word starts as its characters, and the
// adjacent pair that stands first in the list of merges is joined (the leftmost one of equals)
// until no pair is in the list.
#include <array>
#include <queue>
#include <utility>

#include "text/subword_model.hpp"
#include "text/unicode.hpp"

namespace tofu {

namespace {

struct Options {
  std::optional<std::int64_t> unknown;  // id of the unknown token
  std::string unknown_token;
  std::string continuing_prefix;  // in front of all but the first character of a word
  std::string end_suffix;         // behind the last character of a word
  bool fuse_unknown = false;
  bool byte_fallback = false;
  bool ignore_merges = false;  // a word that is a token as it stands is that token
};

struct Merge {
  std::size_t rank = 0;
  std::int64_t result = 0;
};

using PairKey = std::uint64_t;

PairKey pair_key(std::int64_t left, std::int64_t right) {
  return static_cast<PairKey>(left) << 32 | static_cast<PairKey>(right);
}

using Merges = std::unordered_map<PairKey, Merge>;

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

// A token of the word while it is being merged, in a doubly linked list.
struct Symbol {
  std::int64_t id = 0;
  ByteSpan span;
  std::size_t previous = kNone;
  std::size_t next = kNone;
  bool merged_away = false;
};

struct Candidate {
  std::size_t rank = 0;
  std::size_t left = 0;  // index of the left symbol
  std::int64_t result = 0;
  // For std::priority_queue, whose top is the greatest: the lowest rank, then the leftmost pair.
  bool operator<(const Candidate& other) const {
    return std::pair(rank, left) > std::pair(other.rank, other.left);
  }
};

class BytePairEncoding : public SubwordModel {
 public:
  BytePairEncoding(Vocabulary vocabulary, Merges merges, Options options)
      : SubwordModel(std::move(vocabulary)),
        merges_(std::move(merges)),
        options_(std::move(options)) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::string token{'<', '0', 'x', kHex[byte / 16], kHex[byte % 16], '>'};
      byte_tokens_[byte] = this->vocabulary().find(token);
    }
  }

  std::vector<WordToken> tokenize(std::string_view word) const override {
    if (word.empty()) return {};
    if (options_.ignore_merges) {
      if (const auto id = vocabulary().find(word)) return {{*id, {0, word.size()}}};
    }
    std::vector<Symbol> symbols = split_characters(word);
    merge(symbols);
    std::vector<WordToken> tokens;
    for (const auto& symbol : symbols) {
      if (!symbol.merged_away) tokens.push_back({symbol.id, symbol.span});
    }
    return tokens;
  }

 private:
  // Symbols with their lengths alone in `span`, in reading order.
  std::vector<Symbol> split_characters(std::string_view word) const {
    std::vector<Symbol> symbols;
    std::size_t covered = 0;
    const auto add = [&](std::int64_t id, std::size_t length) {
      symbols.push_back({id, {covered, covered + length}, symbols.size() - 1, symbols.size() + 1});
      covered += length;
    };
    std::size_t unknown_length = 0;  // of an unknown token that is not added yet; 0: there is none
    const auto flush_unknown = [&] {
      if (unknown_length > 0) add(*options_.unknown, unknown_length);
      unknown_length = 0;
    };
    for (std::size_t begin = 0; begin < word.size();) {
      const std::size_t length = utf8_length(word[begin]);
      std::string character(word.substr(begin, length));
      if (begin > 0) character.insert(0, options_.continuing_prefix);
      begin += length;
      if (begin == word.size()) character += options_.end_suffix;
      if (const auto id = vocabulary().find(character)) {
        flush_unknown();
        add(*id, length);
      } else if (options_.byte_fallback && has_byte_tokens(character)) {
        for (const char byte : character) add(*byte_tokens_[static_cast<unsigned char>(byte)], 1);
      } else if (options_.unknown) {
        if (!options_.fuse_unknown) flush_unknown();
        unknown_length += length;
      }
    }
    flush_unknown();
    if (!symbols.empty()) symbols.back().next = kNone;
    return symbols;
  }

  bool has_byte_tokens(std::string_view character) const {
    for (const char byte : character) {
      if (!byte_tokens_[static_cast<unsigned char>(byte)]) return false;
    }
    return true;
  }

  void merge(std::vector<Symbol>& symbols) const {
    std::priority_queue<Candidate> queue;
    const auto consider = [&](std::size_t left) {
      if (left == kNone || symbols[left].next == kNone) return;
      const auto found = merges_.find(pair_key(symbols[left].id, symbols[symbols[left].next].id));
      if (found != merges_.end()) queue.push({found->second.rank, left, found->second.result});
    };
    for (std::size_t i = 0; i < symbols.size(); ++i) consider(i);
    while (!queue.empty()) {
      const Candidate best = queue.top();
      queue.pop();
      Symbol& left = symbols[best.left];
      if (left.merged_away || left.next == kNone) continue;
      Symbol& right = symbols[left.next];
      // The pair may have changed since it was queued.
      const auto found = merges_.find(pair_key(left.id, right.id));
      if (found == merges_.end() || found->second.result != best.result) continue;
      left.id = best.result;
      left.span.end = right.span.end;
      left.next = right.next;
      right.merged_away = true;
      if (left.next != kNone) symbols[left.next].previous = best.left;
      consider(left.previous);
      consider(best.left);
    }
  }

  Merges merges_;
  Options options_;
  std::array<std::optional<std::int64_t>, 256> byte_tokens_;
};

// The two parts of a merge: "a b" in older files, ["a", "b"] in newer ones.
std::pair<std::string, std::string> merge_parts(const JsonField& field) {
  if (field.json().is_string()) {
    const std::string line = field.string();
    const std::size_t space = line.find(' ');
    if (space == std::string::npos || line.find(' ', space + 1) != std::string::npos) {
      field.reject("should be two tokens with one space between them, but is '" + line + "'");
    }
    return {line.substr(0, space), line.substr(space + 1)};
  }
  const auto parts = field.elements();
  if (parts.size() != 2) field.reject("should be a list of two tokens");
  return {parts[0].string(), parts[1].string()};
}

Merges parse_merges(const JsonField& field, const Vocabulary& vocabulary,
                    const std::string& continuing_prefix) {
  const auto id_of = [&](const JsonField& merge, const std::string& token) {
    const auto id = vocabulary.find(token);
    if (!id) merge.reject("'" + token + "' is not in the vocabulary");
    return *id;
  };
  Merges merges;
  std::size_t rank = 0;
  for (const auto& merge : field.elements()) {
    // The first line of a merges.txt, which some files carry along.
    if (merge.json().is_string() && merge.string().starts_with("#version")) continue;
    const auto [left, right] = merge_parts(merge);
    const std::size_t prefix = right.starts_with(continuing_prefix) ? continuing_prefix.size() : 0;
    const std::int64_t result = id_of(merge, left + right.substr(prefix));
    merges[pair_key(id_of(merge, left), id_of(merge, right))] = {rank++, result};
  }
  return merges;
}

}  // namespace

std::unique_ptr<SubwordModel> parse_byte_pair_encoding(const JsonField& field) {
  field.allow_only({"type", "dropout", "unk_token", "continuing_subword_prefix",
                    "end_of_word_suffix", "fuse_unk", "byte_fallback", "ignore_merges", "vocab",
                    "merges"});
  if (field.has("dropout") && field.at("dropout").json() != 0.0) {
    field.at("dropout").reject("merges left out at random are not implemented; set it to null");
  }
  Options options;
  options.unknown_token = field.string_or("unk_token", "");
  options.continuing_prefix = field.string_or("continuing_subword_prefix", "");
  options.end_suffix = field.string_or("end_of_word_suffix", "");
  options.fuse_unknown = field.boolean_or("fuse_unk", false);
  options.byte_fallback = field.boolean_or("byte_fallback", false);
  options.ignore_merges = field.boolean_or("ignore_merges", false);
  Vocabulary vocabulary = parse_vocabulary(field.at("vocab"));
  if (!options.unknown_token.empty()) {
    options.unknown = vocabulary.find(options.unknown_token);
    if (!options.unknown) field.at("unk_token").reject("is not in the vocabulary");
  }
  Merges merges = parse_merges(field.at("merges"), vocabulary, options.continuing_prefix);
  return std::make_unique<BytePairEncoding>(std::move(vocabulary), std::move(merges),
                                            std::move(options));
}

}  // namespace tofu
