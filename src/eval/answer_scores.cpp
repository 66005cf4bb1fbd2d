#include "eval/answer_scores.hpp"

#include <algorithm>
#include <numeric>

#include "model/head.hpp"

namespace tofu {
namespace {

bool is_scored(TokenKind kind, bool score_end) {
  return kind == TokenKind::general || kind == TokenKind::unwanted ||
         (score_end && kind == TokenKind::end);
}

// A batch of samples, packed; padded to `padded_length` each where the KL divergence asks for it.
PackedBatch pack_samples(const std::vector<const Sample*>& samples, std::int64_t padded_length,
                         std::int64_t padding_id, at::Device device) {
  std::vector<std::vector<std::int64_t>> sequences;
  std::vector<std::int64_t> attended;
  for (const Sample* sample : samples) {
    sequences.push_back(sample->ids);
    attended.push_back(std::ssize(sample->ids));
    if (padded_length > attended.back()) {
      sequences.back().resize(static_cast<std::size_t>(padded_length), padding_id);
    }
  }
  PackedBatch batch = pack_sequences(sequences, device);
  batch.attended = std::move(attended);
  return batch;
}

class BatchScorer {
 public:
  BatchScorer(const Llama& model, const std::vector<const Sample*>& samples,
              const ScoreOptions& options)
      : model_(model),
        samples_(samples),
        options_(options),
        batch_(pack_samples(samples, options.reference != nullptr ? options.kl_padded_length : 0,
                            model.config().eos_token_id(), model.device())),
        hidden_ND_(model.forward(batch_)) {}

  std::vector<AnswerScore> scores() const {
    std::vector<AnswerScore> result(samples_.size());
    add_likelihoods(&result);
    if (options_.reference != nullptr) add_kl(&result);
    return result;
  }

 private:
  void add_likelihoods(std::vector<AnswerScore>* result) const {
    std::vector<std::int64_t> positions, targets;
    std::vector<std::size_t> rows;
    std::int64_t first_token = 0;
    for (std::size_t row = 0; row < samples_.size(); ++row) {
      const Sample& sample = *samples_[row];
      for (std::size_t t = 0; t < sample.ids.size(); ++t) {
        if (!is_scored(sample.kinds[t], options_.score_end)) continue;
        positions.push_back(first_token + static_cast<std::int64_t>(t));
        targets.push_back(sample.targets[t]);
        rows.push_back(row);
      }
      first_token += batch_.lengths[row];
    }
    const auto to_tensor = [&](const std::vector<std::int64_t>& values) {
      return at::tensor(values, at::kLong).to(model_.device());
    };
    const Head& head = model_.head();
    const at::Tensor nll_P =
        token_nll(head.normed(hidden_ND_, to_tensor(positions)), head.weight_VD, to_tensor(targets))
            .cpu();
    const float* nll = nll_P.data_ptr<float>();
    for (std::size_t p = 0; p < rows.size(); ++p) {
      (*result)[rows[p]].nll_sum += static_cast<double>(nll[p]);
      ++(*result)[rows[p]].tokens;
    }
  }

  void add_kl(std::vector<AnswerScore>* result) const {
    const at::Tensor every_position =
        at::arange(hidden_ND_.size(0), at::TensorOptions(at::kLong).device(model_.device()));
    const Head& head = model_.head();
    const Head& reference_head = options_.reference->head();
    const at::Tensor kl_N =
        kl_to_reference(head.normed(hidden_ND_, every_position), head.weight_VD,
                        reference_head.normed(options_.reference->forward(batch_), every_position),
                        reference_head.weight_VD);
    const auto parts = kl_N.split_with_sizes(batch_.lengths);
    for (std::size_t row = 0; row < parts.size(); ++row) {
      (*result)[row].kl_divergence = parts[row].to(at::kDouble).mean().item<double>();
    }
  }

  const Llama& model_;
  const std::vector<const Sample*>& samples_;
  const ScoreOptions& options_;
  PackedBatch batch_;
  at::Tensor hidden_ND_;
};

}  // namespace

std::vector<AnswerScore> score_answers(const Llama& model, const std::vector<Sample>& samples,
                                       const ScoreOptions& options) {
  const at::NoGradGuard no_grad;
  // By length, so that a batch is of one kind of size and memory is bounded by the longest.
  std::vector<std::size_t> order(samples.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return samples[a].ids.size() > samples[b].ids.size();
  });
  std::vector<AnswerScore> result(samples.size());
  const auto step = static_cast<std::size_t>(options.samples_per_forward);
  for (std::size_t first = 0; first < order.size(); first += step) {
    const std::size_t last = std::min(order.size(), first + step);
    std::vector<const Sample*> chosen;
    for (std::size_t i = first; i < last; ++i) chosen.push_back(&samples[order[i]]);
    const auto scores = BatchScorer(model, chosen, options).scores();
    for (std::size_t i = first; i < last; ++i) result[order[i]] = scores[i - first];
  }
  return result;
}

}  // namespace tofu
