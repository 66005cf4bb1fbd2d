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

// A reference model's distributions over the vocabulary at every position of some samples, as the
// hidden states that its head makes them from: small enough to keep for all samples.
struct ReferenceDistributions {
  std::vector<at::Tensor> normed_TD;  // of each sample; T counts padding where it was computed
  at::Tensor head_VD;
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
  // With reference distributions: all tokens of the set, and the reference there.
  at::Tensor every_position;
  at::Tensor reference_normed_ND;
  at::Tensor reference_head_VD;

  Selection select(Labels labels) const;
};

// The labelled positions of `samples`, which are packed one after another from token `first_token`
// on, each padded to `padded_length` if that is not 0. `references` is empty or has an entry per
// sample.
LabelledSet label_samples(const std::vector<const Sample*>& samples,
                          const std::vector<const ReferenceScores*>& references,
                          std::int64_t first_token, at::Device device,
                          std::int64_t padded_length = 0);

// The sample's token ids, followed by padding up to `padded_length` (0: none). The padding is the
// end of the sequence, as the published programs pad.
std::vector<std::int64_t> padded_ids(const Sample& sample, std::int64_t padded_length);

// The policy's scores of one set, computed for the asked-for positions only. Values belong to rows
// as Selection::rows says.
class SetScores {
 public:
  SetScores(const Head& head, const at::Tensor& hidden_ND, const LabelledSet& set)
      : head_(&head),
        set_(&set),
        hidden_ND_(hidden_ND),
        normed_PD_(head.normed(hidden_ND, set.positions_P)) {}

  const LabelledSet& set() const { return *set_; }
  at::Tensor nll(const Selection& selection) const;
  at::Tensor logits(const Selection& selection) const;
  // Both scores at every labelled position.
  at::Tensor all_nll() const;
  at::Tensor all_target_logits() const;

  // Sum of the negative log-likelihood of each row [R].
  at::Tensor row_nll(Labels labels) const;
  at::Tensor reference_row_nll(Labels labels) const;
  // KL(reference || policy) at every token of the set, mean over them.
  at::Tensor mean_kl() const;
  // Mean over all tokens of the set together, as Hugging Face models report their loss.
  at::Tensor mean_nll(Labels labels) const;

 private:
  const Head* head_;
  const LabelledSet* set_;
  at::Tensor hidden_ND_;
  at::Tensor normed_PD_;
};

// Sum of values [S] by row [R].
at::Tensor sum_by_row(const at::Tensor& values, const at::Tensor& rows, std::int64_t row_count);

}  // namespace tofu
