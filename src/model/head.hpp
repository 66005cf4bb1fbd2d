// The LM head at labelled positions: the quantities that losses are made of, without the logits of
// the whole vocabulary in memory.
// P positions, D hidden_size, V vocabulary.
#pragma once

#include <ATen/ATen.h>

namespace tofu {

// Negative log-likelihood of target [P] under softmax(hidden head^T), in fp32, differentiable in
// hidden [P, D] and head [V, D]. The logits exist in chunks of positions only, and again in the
// backward pass.
at::Tensor token_nll(const at::Tensor& hidden_PD, const at::Tensor& head_VD,
                     const at::Tensor& targets_P);

// KL(reference || policy) at each of P positions, in fp32, differentiable in hidden and head: the
// sum over the vocabulary of p_ref (log p_ref - log p). In chunks like token_nll.
at::Tensor kl_to_reference(const at::Tensor& hidden_PD, const at::Tensor& head_VD,
                           const at::Tensor& reference_hidden_PD,
                           const at::Tensor& reference_head_VD);

// The raw logit of target [P] in fp32: one dot product with one row of the head per position.
at::Tensor target_logits(const at::Tensor& hidden_PD, const at::Tensor& head_VD,
                         const at::Tensor& targets_P);

// All logits [P, V] in fp32.
at::Tensor all_logits(const at::Tensor& hidden_PD, const at::Tensor& head_VD);

}  // namespace tofu
