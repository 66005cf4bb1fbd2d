// The positions of a group of samples at which something has to be predicted, and the policy's
// scores there.
// N packed tokens, P labelled positions, R samples (rows), D hidden_size, V vocabulary.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "data/sample.hpp"
#include "zero/block_chain.hpp"

namespace tofu {

// Which labelled positions a term of a loss is about.
enum class Labels {
  unwanted,  // the tokens that a mask leaves as labels: UW, or the whole answer without a mask
  general,   // GW and the end of the sequence: what the preservation loss runs over
  answer,    // the answer's tokens, without the end
  trained,   // the answer's tokens and the end
};

// A reference model's scores at the labelled positions of one sample, in order.
struct ReferenceScores {
  std::vector<float> target_logits;
  std::vector<float> token_nll;
};

// Positions of one kind: where they stand among the set's labelled positions, and in which row.
struct Selection {
  at::Tensor index;  // [S] into P
  at::Tensor rows;   // [S]
};

struct LabelledSet {
  std::int64_t rows = 0;   // R
  at::Tensor positions_P;  // indices of packed tokens
  at::Tensor targets_P;    // token ids to predict
  at::Tensor rows_P;
  std::vector<TokenKind> kinds;   // [P]
  at::Tensor reference_logits_P;  // undefined without a reference
  at::Tensor reference_nll_P;

  Selection select(Labels labels) const;
};

// The labelled positions of `samples`, which are packed one after another from token `first_token`
// on. `references` is empty or has an entry per sample.
LabelledSet label_samples(const std::vector<const Sample*>& samples,
                          const std::vector<const ReferenceScores*>& references,
                          std::int64_t first_token, at::Device device);

// The policy's scores of one set, computed for the asked-for positions only. Values belong to rows
// as Selection::rows says.
class SetScores {
 public:
  SetScores(const Head& head, const at::Tensor& hidden_ND, const LabelledSet& set)
      : head_(&head), set_(&set), normed_PD_(head.normed(hidden_ND, set.positions_P)) {}

  const LabelledSet& set() const { return *set_; }
  at::Tensor nll(const Selection& selection) const;
  at::Tensor logits(const Selection& selection) const;
  // Both scores at every labelled position.
  at::Tensor all_nll() const;
  at::Tensor all_target_logits() const;

  // Sum of the negative log-likelihood of each row [R].
  at::Tensor row_nll(Labels labels) const;
  at::Tensor reference_row_nll(Labels labels) const;
  // Mean over all tokens of the set together, as Hugging Face models report their loss.
  at::Tensor mean_nll(Labels labels) const;

 private:
  const Head* head_;
  const LabelledSet* set_;
  at::Tensor normed_PD_;
};

// Sum of values [S] by row [R].
at::Tensor sum_by_row(const at::Tensor& values, const at::Tensor& rows, std::int64_t row_count);

}  // namespace tofu
