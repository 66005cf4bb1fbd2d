// What the config.json of a masked language model says: RoBERTa (DistilRoBERTa is one with fewer
// layers) or BERT.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace tofu {

enum class MaskedLmKind { roberta, bert };

struct MaskedLmConfig {
  MaskedLmKind kind = MaskedLmKind::roberta;
  std::int64_t vocab_size = 0;
  std::int64_t hidden_size = 0;
  std::int64_t intermediate_size = 0;
  std::int64_t num_layers = 0;
  std::int64_t num_heads = 0;
  std::int64_t max_position_embeddings = 0;
  std::int64_t type_vocab_size = 1;
  double layer_norm_eps = 1e-12;
  // Row of the position embeddings that the first token takes: RoBERTa keeps those up to the
  // padding's own.
  std::int64_t first_position = 0;
  bool tie_word_embeddings = true;

  // Tokens of the longest text, special ones included.
  std::int64_t max_tokens() const { return max_position_embeddings - first_position; }
};

// Parses config.json text; `name` is the file, for messages. Error{input_data} names a field that
// is missing, out of range, or that changes the numbers in a way that is not computed here, such as
// another activation or relative positions.
MaskedLmConfig parse_masked_lm_config(const std::string& json_text, const std::string& name);

// Reads `folder`/config.json.
MaskedLmConfig read_masked_lm_config(const std::filesystem::path& folder);

}  // namespace tofu
