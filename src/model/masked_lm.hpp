// A masked language model: a bidirectional encoder with an LM head, RoBERTa (arXiv 1907.11692) or
// BERT (arXiv 1810.04805), in fp32 and without gradients.
// B texts, T tokens, D hidden_size, V vocabulary.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <string>
#include <vector>

#include "model/masked_lm_config.hpp"

namespace tofu {

struct TopPrediction {
  std::int64_t token = 0;
  double probability = 0;  // under the softmax over the vocabulary
};

class MaskedLm {
 public:
  // Reads a Hugging Face folder: config.json and safetensors with the tensors of
  // RobertaForMaskedLM or BertForMaskedLM. Error{input_data} names what is missing (an encoder
  // without LM head is refused), of another shape, or has no place in the model.
  static MaskedLm load(const std::filesystem::path& folder, at::Device device);

  const MaskedLmConfig& config() const { return config_; }
  // Sixteen hexadecimal digits that depend on the names and fp32 values of the weights.
  const std::string& digest() const { return digest_; }

  // The most likely token at position positions[b] of each text. All texts are of one length, so
  // nothing is padded and a text's result does not depend on what it is computed with.
  std::vector<TopPrediction> predict(const std::vector<std::vector<std::int64_t>>& ids_BT,
                                     const std::vector<std::int64_t>& positions_B) const;

 private:
  // y = x W^T + b.
  struct Linear {
    at::Tensor weight;
    at::Tensor bias;
    at::Tensor operator()(const at::Tensor& x) const { return at::linear(x, weight, bias); }
  };
  struct LayerNorm {
    at::Tensor weight;
    at::Tensor bias;
    double eps = 0;
    at::Tensor operator()(const at::Tensor& x) const {
      return at::layer_norm(x, weight.sizes(), weight, bias, eps);
    }
  };
  struct Layer {
    Linear query, key, value, attention_output;
    LayerNorm attention_norm;
    Linear intermediate, output;
    LayerNorm output_norm;
  };
  class Loader;

  MaskedLm() = default;
  at::Tensor embed(const at::Tensor& ids_BT) const;
  at::Tensor attention(const Layer& layer, const at::Tensor& hidden_BTD) const;
  at::Tensor logits(const at::Tensor& hidden_BD) const;

  MaskedLmConfig config_;
  std::string digest_;
  at::Tensor word_embeddings_VD_;
  at::Tensor position_embeddings_;  // [max_position_embeddings, D]
  at::Tensor token_type_D_;         // of the one type that a single text has
  LayerNorm embedding_norm_;
  std::vector<Layer> layers_;
  Linear head_dense_;
  LayerNorm head_norm_;
  Linear decoder_;
};

}  // namespace tofu
