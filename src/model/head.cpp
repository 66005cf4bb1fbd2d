#include "model/head.hpp"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <vector>

namespace tofu {
namespace {

// Positions of a chunk: so many that its fp32 logits take about 64 MiB.
std::int64_t chunk_positions(std::int64_t vocabulary) {
  return std::max<std::int64_t>(16, (std::int64_t{16} << 20) / vocabulary);
}

struct TokenNllFunction : torch::autograd::Function<TokenNllFunction> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& hidden_PD,
                            const at::Tensor& head_VD, const at::Tensor& targets_P) {
    const std::int64_t positions = hidden_PD.size(0);
    const std::int64_t chunk = chunk_positions(head_VD.size(0));
    at::Tensor log_normalizer_P = at::empty({positions}, hidden_PD.options().dtype(at::kFloat));
    at::Tensor nll_P = at::empty_like(log_normalizer_P);
    for (std::int64_t begin = 0; begin < positions; begin += chunk) {
      const std::int64_t count = std::min(chunk, positions - begin);
      const at::Tensor logits = all_logits(hidden_PD.narrow(0, begin, count), head_VD);
      const at::Tensor normalizer = at::logsumexp(logits, {-1});
      const at::Tensor picked =
          logits.gather(1, targets_P.narrow(0, begin, count).unsqueeze(1)).squeeze(1);
      log_normalizer_P.narrow(0, begin, count).copy_(normalizer);
      nll_P.narrow(0, begin, count).copy_(normalizer - picked);
    }
    context->save_for_backward({hidden_PD, head_VD, targets_P, log_normalizer_P});
    return nll_P;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor& hidden_PD = saved[0];
    const at::Tensor& head_VD = saved[1];
    const std::int64_t positions = hidden_PD.size(0);
    const std::int64_t chunk = chunk_positions(head_VD.size(0));
    at::Tensor hidden_gradient = at::empty_like(hidden_PD);
    at::Tensor head_gradient;
    for (std::int64_t begin = 0; begin < positions; begin += chunk) {
      const std::int64_t count = std::min(chunk, positions - begin);
      const at::Tensor hidden = hidden_PD.narrow(0, begin, count);
      const at::Tensor upstream = gradients[0].narrow(0, begin, count).unsqueeze(1);
      // d nll / d logits = softmax - onehot(target).
      at::Tensor slope = all_logits(hidden, head_VD)
                             .sub_(saved[3].narrow(0, begin, count).unsqueeze(1))
                             .exp_()
                             .mul_(upstream);
      slope.scatter_add_(1, saved[2].narrow(0, begin, count).unsqueeze(1), -upstream);
      slope = slope.to(head_VD.scalar_type());
      hidden_gradient.narrow(0, begin, count).copy_(at::matmul(slope, head_VD));
      const at::Tensor part = at::matmul(slope.t(), hidden);
      head_gradient = head_gradient.defined() ? head_gradient.add_(part) : part;
    }
    return {hidden_gradient, head_gradient, at::Tensor()};
  }
};

struct KlFunction : torch::autograd::Function<KlFunction> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& hidden_PD,
                            const at::Tensor& head_VD, const at::Tensor& reference_hidden_PD,
                            const at::Tensor& reference_head_VD) {
    context->save_for_backward({hidden_PD, head_VD, reference_hidden_PD, reference_head_VD});
    const std::int64_t positions = hidden_PD.size(0);
    const std::int64_t chunk = chunk_positions(head_VD.size(0));
    at::Tensor kl_P = at::empty({positions}, hidden_PD.options().dtype(at::kFloat));
    for (std::int64_t begin = 0; begin < positions; begin += chunk) {
      const std::int64_t count = std::min(chunk, positions - begin);
      const at::Tensor expected = at::log_softmax(
          all_logits(reference_hidden_PD.narrow(0, begin, count), reference_head_VD), -1);
      const at::Tensor actual =
          at::log_softmax(all_logits(hidden_PD.narrow(0, begin, count), head_VD), -1);
      kl_P.narrow(0, begin, count).copy_((expected.exp() * (expected - actual)).sum(-1));
    }
    return kl_P;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor& hidden_PD = saved[0];
    const at::Tensor& head_VD = saved[1];
    const std::int64_t positions = hidden_PD.size(0);
    const std::int64_t chunk = chunk_positions(head_VD.size(0));
    at::Tensor hidden_gradient = at::empty_like(hidden_PD);
    at::Tensor head_gradient = at::zeros_like(head_VD);
    for (std::int64_t begin = 0; begin < positions; begin += chunk) {
      const std::int64_t count = std::min(chunk, positions - begin);
      const at::Tensor hidden = hidden_PD.narrow(0, begin, count);
      // d KL / d logits = softmax - softmax of the reference.
      const at::Tensor slope =
          at::softmax(all_logits(hidden, head_VD), -1)
              .sub_(at::softmax(all_logits(saved[2].narrow(0, begin, count), saved[3]), -1))
              .mul_(gradients[0].narrow(0, begin, count).unsqueeze(1))
              .to(head_VD.scalar_type());
      hidden_gradient.narrow(0, begin, count).copy_(at::matmul(slope, head_VD));
      head_gradient.add_(at::matmul(slope.t(), hidden));
    }
    return {hidden_gradient, head_gradient, at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor kl_to_reference(const at::Tensor& hidden_PD, const at::Tensor& head_VD,
                           const at::Tensor& reference_hidden_PD,
                           const at::Tensor& reference_head_VD) {
  return KlFunction::apply(hidden_PD, head_VD, reference_hidden_PD, reference_head_VD);
}

at::Tensor token_nll(const at::Tensor& hidden_PD, const at::Tensor& head_VD,
                     const at::Tensor& targets_P) {
  return TokenNllFunction::apply(hidden_PD, head_VD, targets_P);
}

at::Tensor target_logits(const at::Tensor& hidden_PD, const at::Tensor& head_VD,
                         const at::Tensor& targets_P) {
  const at::Tensor rows_PD = head_VD.index_select(0, targets_P);
  return (hidden_PD.to(at::kFloat) * rows_PD.to(at::kFloat)).sum(-1);
}

at::Tensor all_logits(const at::Tensor& hidden_PD, const at::Tensor& head_VD) {
  return at::linear(hidden_PD, head_VD).to(at::kFloat);
}

}  // namespace tofu
