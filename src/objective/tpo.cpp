#include "objective/losses.hpp"

namespace tofu {
// The logits are raw: the loss is not invariant to shifting all of them.
at::Tensor logit_preference_by_row(const SetScores& forget, const Selection& unwanted) {
  const at::Tensor difference =
      forget.set().reference_logits_P.index_select(0, unwanted.index) - forget.logits(unwanted);
  const std::int64_t rows = forget.set().rows;
  const at::Tensor counts = sum_by_row(at::ones_like(difference), unwanted.rows, rows);
  const at::Tensor means = sum_by_row(difference, unwanted.rows, rows) / counts.clamp_min(1);
  return means.index_select(0, at::nonzero(counts).squeeze(1));
}

namespace {

// -2/beta log sigmoid(beta LPL) with the scope's LPL.
at::Tensor preference_loss(const at::Tensor& lpl_by_row, const Hyperparameters& hyper) {
  const auto loss = [&](const at::Tensor& lpl) {
    return at::log_sigmoid(hyper.beta * lpl).mean() * (-2 / hyper.beta);
  };
  switch (hyper.lpl_scope) {
    case LplScope::sample:
      return loss(lpl_by_row);
    case LplScope::micro_batch:
      return loss(lpl_by_row.mean());
    case LplScope::global_batch:
      break;
  }
  // The value is that of the global mean; the slope reaches this micro-batch through its share of
  // it. Averaged over the micro-batches that is the gradient of the global loss.
  const GlobalPreference& global = hyper.global_preference;
  const at::Tensor share = lpl_by_row.sum() / global.samples_per_micro_batch;
  const at::Tensor mean = at::full_like(share, global.lpl);
  return loss(mean) - 2 * at::sigmoid(-hyper.beta * mean) * (share - share.detach());
}

}  // namespace

// Targeted Preference Optimization ("Not All Tokens Are Meant to Be Forgotten"):
//   L = -2/beta log sigmoid(beta LPL) + PL
//   LPL = mean over samples of mean over UW of (z_ref(y_t) - z(y_t))
//   PL  = mean over samples of the sum over GW and the end of the sequence of -log p(y_t)
// A sample without unwanted tokens is left out of LPL (the published program divides 0 by 0); a
// micro-batch with none has PL alone.
ObjectiveResult tpo(const ObjectiveInput& input) {
  const SetScores& forget = *input.forget;
  const at::Tensor preservation = forget.row_nll(Labels::general).mean();
  const Selection unwanted = forget.set().select(Labels::unwanted);
  if (unwanted.index.numel() == 0) return {preservation, {{"preservation_loss", preservation}}};
  const at::Tensor by_row = logit_preference_by_row(forget, unwanted);
  return {preference_loss(by_row, input.hyper) + preservation,
          {{"lpl", by_row.mean()}, {"preservation_loss", preservation}}};
}

// TPO with descent on the retain answers.
ObjectiveResult tpo_grad_diff(const ObjectiveInput& input) {
  return add_retain_loss(tpo(input), input);
}

}  // namespace tofu
