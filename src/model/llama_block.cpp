#include "model/llama_block.hpp"

#include <torch/csrc/autograd/custom_function.h>

namespace tofu {
namespace {

// RMS normalisation keeps only its input and one number per token for the backward pass.
struct RmsNormFunction : torch::autograd::Function<RmsNormFunction> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x_ND,
                            const at::Tensor& weight_D, double eps) {
    const at::Tensor x = x_ND.to(at::kFloat);
    const at::Tensor scale_N1 = at::rsqrt((x * x).mean(-1, true) + eps);
    context->save_for_backward({x_ND, weight_D, scale_N1});
    return (x * scale_N1).mul_(weight_D).to(x_ND.scalar_type());
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor& scale_N1 = saved[2];
    const at::Tensor normed = saved[0].to(at::kFloat) * scale_N1;
    const at::Tensor gradient = gradients[0].to(at::kFloat);
    const at::Tensor weight_gradient = (gradient * normed).sum(0).to(saved[1].scalar_type());
    at::Tensor scaled = gradient * saved[1];
    const at::Tensor along = (scaled * normed).mean(-1, true);
    const at::Tensor x_gradient = scaled.sub_(normed * along).mul_(scale_N1);
    return {x_gradient.to(saved[0].scalar_type()), weight_gradient, at::Tensor()};
  }
};

// silu(gate) * up over the two halves of [N, 2I].
struct GatedSiluFunction : torch::autograd::Function<GatedSiluFunction> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& gate_up) {
    context->save_for_backward({gate_up});
    const auto halves = gate_up.chunk(2, -1);
    return at::silu(halves[0]).mul_(halves[1]);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto halves = saved[0].chunk(2, -1);
    at::Tensor result = at::empty_like(saved[0]);
    const auto parts = result.chunk(2, -1);
    parts[0].copy_(at::silu_backward(gradients[0] * halves[1], halves[0]));
    parts[1].copy_(at::silu(halves[0]).mul_(gradients[0]));
    return {result};
  }
};

// Causal, except that tokens past `attended` are padding: they see the attended ones alone.
at::Tensor padding_mask(std::int64_t length, std::int64_t attended, at::Device device) {
  const at::Tensor rows = at::arange(length, at::TensorOptions(at::kLong).device(device));
  return rows.unsqueeze(0).le(rows.unsqueeze(1)).logical_and(rows.unsqueeze(0).lt(attended));
}

// x [N, H, d] of one sequence as [1, H, T, d].
at::Tensor to_attention_layout(const at::Tensor& x_THd) {
  return x_THd.transpose(0, 1).unsqueeze(0);
}

}  // namespace

BlockWeights block_weights(const LlamaConfig& c, const at::Tensor& flat) {
  std::int64_t offset = 0;
  const auto take = [&](std::int64_t rows, std::int64_t columns) {
    const at::Tensor view = flat.narrow(0, offset, rows * columns).view({rows, columns});
    offset += rows * columns;
    return view;
  };
  BlockWeights weights;
  weights.attention_norm_D = take(1, c.hidden_size).squeeze(0);
  weights.qkv_weight = take((c.num_heads + 2 * c.num_kv_heads) * c.head_dim, c.hidden_size);
  weights.output_weight = take(c.hidden_size, c.num_heads * c.head_dim);
  weights.mlp_norm_D = take(1, c.hidden_size).squeeze(0);
  weights.gate_up_weight = take(2 * c.intermediate_size, c.hidden_size);
  weights.down_weight = take(c.hidden_size, c.intermediate_size);
  return weights;
}

at::Tensor rms_norm(const at::Tensor& x_ND, const at::Tensor& weight_D, double eps) {
  return RmsNormFunction::apply(x_ND, weight_D, eps);
}

QueryKeyValue project_query_key_value(const LlamaConfig& c, const BlockWeights& weights,
                                      const at::Tensor& hidden_ND, const Rotary::Angles& angles) {
  const at::Tensor normed_ND = rms_norm(hidden_ND, weights.attention_norm_D, c.rms_norm_eps);
  const at::Tensor qkv =
      at::linear(normed_ND, weights.qkv_weight)
          .view({hidden_ND.size(0), c.num_heads + 2 * c.num_kv_heads, c.head_dim});
  // Query and key are turned together.
  const auto parts = qkv.split_with_sizes({c.num_heads + c.num_kv_heads, c.num_kv_heads}, 1);
  const auto turned =
      apply_rotary(parts[0], angles).split_with_sizes({c.num_heads, c.num_kv_heads}, 1);
  return {turned[0], turned[1], parts[1]};
}

at::Tensor finish_block(const LlamaConfig& c, const BlockWeights& weights,
                        const at::Tensor& hidden_ND, const at::Tensor& attention_out) {
  const at::Tensor middle_ND = hidden_ND + at::linear(attention_out, weights.output_weight);
  const at::Tensor normed_ND = rms_norm(middle_ND, weights.mlp_norm_D, c.rms_norm_eps);
  const at::Tensor gated = GatedSiluFunction::apply(at::linear(normed_ND, weights.gate_up_weight));
  return middle_ND + at::linear(gated, weights.down_weight);
}

at::Tensor block_forward(const LlamaConfig& c, const BlockWeights& weights,
                         const at::Tensor& hidden_ND, const PackedBatch& batch,
                         const Rotary::Angles& angles) {
  const QueryKeyValue qkv = project_query_key_value(c, weights, hidden_ND, angles);
  const auto queries = qkv.query_NHd.split_with_sizes(batch.lengths, 0);
  const auto keys = qkv.key_NGd.split_with_sizes(batch.lengths, 0);
  const auto values = qkv.value_NGd.split_with_sizes(batch.lengths, 0);
  std::vector<at::Tensor> outputs;
  for (std::size_t s = 0; s < queries.size(); ++s) {
    const std::int64_t length = batch.lengths[s];
    const bool padded = !batch.attended.empty() && batch.attended[s] < length;
    const std::optional<at::Tensor> mask =
        padded ? std::optional(padding_mask(length, batch.attended[s], hidden_ND.device()))
               : std::nullopt;
    outputs.push_back(at::scaled_dot_product_attention(
                          to_attention_layout(queries[s]), to_attention_layout(keys[s]),
                          to_attention_layout(values[s]), mask, 0.0, !padded, std::nullopt, true)
                          .squeeze(0)
                          .transpose(0, 1)
                          .reshape({length, c.num_heads * c.head_dim}));
  }
  return finish_block(c, weights, hidden_ND, at::cat(outputs, 0));
}

}  // namespace tofu
