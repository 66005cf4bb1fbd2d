#include "model/llama.hpp"

namespace tofu {

at::Tensor Head::normed(const at::Tensor& hidden_ND, const at::Tensor& positions_P) const {
  return rms_norm(hidden_ND.index_select(0, positions_P), norm_weight_D, rms_norm_eps);
}

at::Tensor embedding_weight(const LlamaConfig& config, const at::Tensor& first_flat) {
  return first_flat.narrow(0, 0, config.vocab_size * config.hidden_size)
      .view({config.vocab_size, config.hidden_size});
}

Head make_head(const LlamaConfig& config, const at::Tensor& first_flat,
               const at::Tensor& last_flat) {
  Head head;
  head.norm_weight_D = last_flat.narrow(0, 0, config.hidden_size);
  head.weight_VD =
      config.tie_word_embeddings
          ? embedding_weight(config, first_flat)
          : last_flat.narrow(0, config.hidden_size, config.vocab_size * config.hidden_size)
                .view({config.vocab_size, config.hidden_size});
  head.rms_norm_eps = config.rms_norm_eps;
  return head;
}

Llama::Llama(const LlamaConfig& config, std::vector<at::Tensor> units, std::int64_t max_positions)
    : config_(config),
      units_(std::move(units)),
      head_(make_head(config, units_.front(), units_.back())),
      rotary_(config, max_positions, units_.front().device()),
      max_positions_(max_positions) {
  for (std::size_t i = 1; i + 1 < units_.size(); ++i) {
    blocks_.push_back(block_weights(config, units_[i]));
  }
}

at::Tensor Llama::embed(const at::Tensor& ids_N) const {
  return at::embedding(embedding_weight(config_, units_.front()), ids_N);
}

at::Tensor Llama::forward(const PackedBatch& batch) const {
  const at::NoGradGuard no_grad;
  const Rotary::Angles angles = rotary_.at_positions(batch.positions_N);
  at::Tensor hidden_ND = embed(batch.ids_N);
  for (const BlockWeights& weights : blocks_) {
    hidden_ND = block_forward(config_, weights, hidden_ND, batch, angles);
  }
  return hidden_ND;
}

}  // namespace tofu
