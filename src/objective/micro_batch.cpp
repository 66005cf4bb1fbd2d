#include "objective/micro_batch.hpp"

#include <algorithm>
#include <numeric>

#include "objective/losses.hpp"

namespace tofu {
namespace {

// More tokens than this fill any device; fewer passes would only take more memory.
constexpr std::int64_t kTokensPerPass = 16384;

std::int64_t count_tokens(const std::vector<const Sample*>& samples) {
  return std::accumulate(samples.begin(), samples.end(), std::int64_t{0},
                         [](std::int64_t sum, const Sample* sample) {
                           return sum + static_cast<std::int64_t>(sample->ids.size());
                         });
}

std::int64_t retain_tokens(const MicroBatch& batch) {
  return batch.retain_padded_length > 0 ? batch.retain_padded_length * std::ssize(batch.retain)
                                        : count_tokens(batch.retain);
}

struct PassRange {
  std::size_t first;
  std::size_t count;
};

// `items` in as many consecutive ranges as there are passes; some may be empty.
std::vector<PassRange> pass_ranges(std::size_t items, std::int64_t passes) {
  const auto count = static_cast<std::size_t>(passes);
  std::vector<PassRange> ranges;
  for (std::size_t pass = 0; pass < count; ++pass) {
    const std::size_t first = items * pass / count;
    ranges.push_back({first, items * (pass + 1) / count - first});
  }
  return ranges;
}

// The labelled sets of a micro-batch whose samples are packed role after role.
struct LabelledMicroBatch {
  LabelledSet forget;
  LabelledSet retain;
  LabelledSet refusal;
};

LabelledMicroBatch label_micro_batch(const MicroBatch& batch, std::int64_t first_token,
                                     at::Device device) {
  LabelledMicroBatch labelled;
  labelled.forget = label_samples(batch.forget, batch.forget_references, first_token, device);
  first_token += count_tokens(batch.forget);
  labelled.retain =
      label_samples(batch.retain, {}, first_token, device, batch.retain_padded_length);
  if (!batch.retain_distributions.empty()) {
    std::vector<at::Tensor> distributions;
    for (const at::Tensor* normed_TD : batch.retain_distributions) {
      distributions.push_back(*normed_TD);
    }
    labelled.retain.every_position = at::arange(first_token, first_token + retain_tokens(batch),
                                                at::TensorOptions(at::kLong).device(device));
    labelled.retain.reference_normed_ND = at::cat(distributions).to(device);
    labelled.retain.reference_head_VD = batch.reference_head_VD;
  }
  first_token += retain_tokens(batch);
  labelled.refusal = label_samples(batch.refusal, batch.refusal_references, first_token, device);
  return labelled;
}

PackedBatch pack_micro_batches(const std::vector<MicroBatch>& batches, std::size_t first,
                               std::size_t count, at::Device device) {
  std::vector<std::vector<std::int64_t>> sequences;
  std::vector<std::int64_t> attended;
  const auto add = [&](const std::vector<const Sample*>& samples, std::int64_t padded_length) {
    for (const Sample* sample : samples) {
      attended.push_back(std::ssize(sample->ids));
      sequences.push_back(padded_ids(*sample, padded_length));
    }
  };
  for (std::size_t i = first; i < first + count; ++i) {
    add(batches[i].forget, 0);
    add(batches[i].retain, batches[i].retain_padded_length);
    add(batches[i].refusal, 0);
  }
  PackedBatch packed = pack_sequences(sequences, device);
  packed.attended = std::move(attended);
  return packed;
}

ObjectiveInput score_micro_batch(const Head& head, const at::Tensor& hidden_ND,
                                 const LabelledMicroBatch& labelled, const Hyperparameters& hyper) {
  ObjectiveInput input;
  input.hyper = hyper;
  if (labelled.forget.rows > 0) input.forget.emplace(head, hidden_ND, labelled.forget);
  if (labelled.retain.rows > 0) input.retain.emplace(head, hidden_ND, labelled.retain);
  if (labelled.refusal.rows > 0) input.refusal.emplace(head, hidden_ND, labelled.refusal);
  return input;
}

}  // namespace

std::int64_t MicroBatch::token_count() const {
  return count_tokens(forget) + retain_tokens(*this) + count_tokens(refusal);
}

std::int64_t passes_for(const std::vector<std::int64_t>& token_counts) {
  const std::int64_t total =
      std::accumulate(token_counts.begin(), token_counts.end(), std::int64_t{0});
  const std::int64_t wanted = (total + kTokensPerPass - 1) / kTokensPerPass;
  return std::clamp<std::int64_t>(wanted, 1, std::max<std::int64_t>(1, std::ssize(token_counts)));
}

GlobalPreference measure_preference(BlockChain* chain, const std::vector<MicroBatch>& local,
                                    std::int64_t global_micro_batches, std::int64_t passes,
                                    const HostGroup& world) {
  const at::Device device = chain->parameters().options().device;
  double sum = 0;
  double rows = 0;
  for (const auto& [first, count] : pass_ranges(local.size(), passes)) {
    if (count == 0) {
      chain->forward(nullptr, HeadVisitor());
      continue;
    }
    const PackedBatch packed = pack_micro_batches(local, first, count, device);
    chain->forward(
        &packed, [&, first = first, count = count](const Head& head, const at::Tensor& hidden_ND) {
          std::int64_t first_token = 0;
          for (std::size_t i = first; i < first + count; ++i) {
            const LabelledMicroBatch labelled = label_micro_batch(local[i], first_token, device);
            first_token += local[i].token_count();
            const SetScores forget(head, hidden_ND, labelled.forget);
            const Selection unwanted = labelled.forget.select(Labels::unwanted);
            if (unwanted.index.numel() == 0) continue;
            const at::Tensor by_row = logit_preference_by_row(forget, unwanted);
            sum += by_row.to(at::kDouble).sum().item<double>();
            rows += static_cast<double>(by_row.numel());
          }
        });
  }
  const auto totals = world.sum(std::vector<double>{sum, rows});
  const double samples = std::max(1.0, totals[1]);
  return {totals[0] / samples, samples / static_cast<double>(global_micro_batches)};
}

LossSums accumulate_gradient(BlockChain* chain, const Objective& objective,
                             const Hyperparameters& hyper, const std::vector<MicroBatch>& local,
                             std::int64_t global_micro_batches, std::int64_t passes) {
  const at::Device device = chain->parameters().options().device;
  LossSums sums;
  std::int64_t pass = 0;
  for (const auto& range : pass_ranges(local.size(), passes)) {
    const std::size_t first = range.first;
    const std::size_t count = range.count;
    const bool last_pass = ++pass == passes;
    if (count == 0) {
      chain->forward_backward(nullptr, LossFunction(), last_pass);
      continue;
    }
    const PackedBatch packed = pack_micro_batches(local, first, count, device);
    const auto loss = [&](const Head& head, const at::Tensor& hidden_ND) {
      at::Tensor total;
      std::int64_t first_token = 0;
      for (std::size_t i = first; i < first + count; ++i) {
        const LabelledMicroBatch labelled = label_micro_batch(local[i], first_token, device);
        first_token += local[i].token_count();
        const ObjectiveResult result =
            objective.evaluate(score_micro_batch(head, hidden_ND, labelled, hyper));
        sums.loss += result.loss.item<double>();
        for (const auto& [name, value] : result.parts) sums.parts[name] += value.item<double>();
        ++sums.micro_batches;
        const at::Tensor share = result.loss / static_cast<double>(global_micro_batches);
        total = total.defined() ? total + share : share;
      }
      return total;
    };
    chain->forward_backward(&packed, loss, last_pass);
  }
  return sums;
}

}  // namespace tofu
