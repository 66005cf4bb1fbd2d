// What a Llama's config.json says.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tofu {

// The "llama3" scaling of rotary frequencies (Llama 3.1 and later).
struct RopeScaling {
  double factor = 1;
  double low_freq_factor = 1;
  double high_freq_factor = 4;
  double original_max_position_embeddings = 8192;
};

struct LlamaConfig {
  std::int64_t vocab_size = 0;
  std::int64_t hidden_size = 0;
  std::int64_t intermediate_size = 0;
  std::int64_t num_layers = 0;
  std::int64_t num_heads = 0;
  std::int64_t num_kv_heads = 0;
  std::int64_t head_dim = 0;
  std::int64_t max_position_embeddings = 0;
  double rms_norm_eps = 1e-6;
  double rope_theta = 10000;
  std::optional<RopeScaling> rope_scaling;
  bool tie_word_embeddings = false;
  double initializer_range = 0.02;
  std::vector<std::int64_t> eos_token_ids;

  // The token that stands for the end of an answer: the first of eos_token_ids.
  std::int64_t eos_token_id() const { return eos_token_ids.front(); }
};

// Parses config.json text; `name` is the file, for messages. Takes the older form (rope_theta,
// rope_scaling) and the newer (rope_parameters). Error{input_data} names a field that is missing,
// out of range, or that changes the numbers in a way that is not computed here.
LlamaConfig parse_llama_config(const std::string& json_text, const std::string& name);

// Reads `folder`/config.json.
LlamaConfig read_llama_config(const std::filesystem::path& folder);

}  // namespace tofu
