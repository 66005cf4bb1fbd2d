#include "objective/labelled_set.hpp"

#include <algorithm>

#include "model/head.hpp"

namespace tofu {
namespace {

bool matches(TokenKind kind, Labels labels) {
  switch (labels) {
    case Labels::unwanted:
      return kind == TokenKind::unwanted;
    case Labels::general:
      return kind == TokenKind::general || kind == TokenKind::end;
    case Labels::answer:
      return kind == TokenKind::unwanted || kind == TokenKind::general;
    case Labels::trained:
      return kind != TokenKind::prompt;
  }
  return false;
}

at::Tensor index_tensor(const std::vector<std::int64_t>& values, at::Device device) {
  return at::tensor(values, at::kLong).to(device);
}

}  // namespace

std::vector<std::int64_t> padded_ids(const Sample& sample, std::int64_t padded_length) {
  std::vector<std::int64_t> ids = sample.ids;
  if (padded_length <= std::ssize(ids)) return ids;
  // The last target of a sample that was not cut is the end of the sequence.
  ids.resize(static_cast<std::size_t>(padded_length), sample.targets.back());
  return ids;
}

Selection LabelledSet::select(Labels labels) const {
  std::vector<std::int64_t> chosen;
  for (std::size_t p = 0; p < kinds.size(); ++p) {
    if (matches(kinds[p], labels)) chosen.push_back(static_cast<std::int64_t>(p));
  }
  Selection selection;
  selection.index = index_tensor(chosen, targets_P.device());
  selection.rows = rows_P.index_select(0, selection.index);
  return selection;
}

LabelledSet label_samples(const std::vector<const Sample*>& samples,
                          const std::vector<const ReferenceScores*>& references,
                          std::int64_t first_token, at::Device device, std::int64_t padded_length) {
  LabelledSet set;
  set.rows = static_cast<std::int64_t>(samples.size());
  std::vector<std::int64_t> positions, targets, rows;
  std::vector<float> logits, nll;
  for (std::size_t row = 0; row < samples.size(); ++row) {
    const Sample& sample = *samples[row];
    for (std::size_t t = 0; t < sample.ids.size(); ++t) {
      if (sample.kinds[t] == TokenKind::prompt) continue;
      positions.push_back(first_token + static_cast<std::int64_t>(t));
      targets.push_back(sample.targets[t]);
      rows.push_back(static_cast<std::int64_t>(row));
      set.kinds.push_back(sample.kinds[t]);
    }
    if (!references.empty()) {
      const ReferenceScores& scores = *references[row];
      logits.insert(logits.end(), scores.target_logits.begin(), scores.target_logits.end());
      nll.insert(nll.end(), scores.token_nll.begin(), scores.token_nll.end());
    }
    first_token += std::max(padded_length, std::ssize(sample.ids));
  }
  set.positions_P = index_tensor(positions, device);
  set.targets_P = index_tensor(targets, device);
  set.rows_P = index_tensor(rows, device);
  if (!references.empty()) {
    set.reference_logits_P = at::tensor(logits, at::kFloat).to(device);
    set.reference_nll_P = at::tensor(nll, at::kFloat).to(device);
  }
  return set;
}

at::Tensor SetScores::nll(const Selection& selection) const {
  return token_nll(normed_PD_.index_select(0, selection.index), head_->weight_VD,
                   set_->targets_P.index_select(0, selection.index));
}

at::Tensor SetScores::logits(const Selection& selection) const {
  return target_logits(normed_PD_.index_select(0, selection.index), head_->weight_VD,
                       set_->targets_P.index_select(0, selection.index));
}

at::Tensor SetScores::all_nll() const {
  return token_nll(normed_PD_, head_->weight_VD, set_->targets_P);
}

at::Tensor SetScores::all_target_logits() const {
  return target_logits(normed_PD_, head_->weight_VD, set_->targets_P);
}

at::Tensor SetScores::row_nll(Labels labels) const {
  const Selection selection = set_->select(labels);
  return sum_by_row(nll(selection), selection.rows, set_->rows);
}

at::Tensor SetScores::reference_row_nll(Labels labels) const {
  const Selection selection = set_->select(labels);
  return sum_by_row(set_->reference_nll_P.index_select(0, selection.index), selection.rows,
                    set_->rows);
}

at::Tensor SetScores::mean_kl() const {
  return kl_to_reference(head_->normed(hidden_ND_, set_->every_position), head_->weight_VD,
                         set_->reference_normed_ND, set_->reference_head_VD)
      .mean();
}

at::Tensor SetScores::mean_nll(Labels labels) const {
  const Selection selection = set_->select(labels);
  // A set without labels contributes nothing instead of 0/0.
  if (selection.index.numel() == 0) return normed_PD_.sum() * 0;
  return nll(selection).mean();
}

at::Tensor sum_by_row(const at::Tensor& values, const at::Tensor& rows, std::int64_t row_count) {
  return at::zeros({row_count}, values.options()).index_add(0, rows, values);
}

}  // namespace tofu
