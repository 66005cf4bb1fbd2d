#include "objective/reference_scores.hpp"

#include <algorithm>
#include <cstring>
#include <string>

namespace tofu {
namespace {

constexpr std::size_t kSamplesPerPass = 16;

std::vector<float> to_floats(const at::Tensor& tensor) {
  const at::Tensor host = tensor.to(at::kCPU, at::kFloat).contiguous();
  const float* data = host.data_ptr<float>();
  return {data, data + host.numel()};
}

ReferenceScores slice_scores(const ReferenceScores& all, std::size_t first, std::size_t count) {
  const auto begin = static_cast<std::ptrdiff_t>(first);
  const auto end = static_cast<std::ptrdiff_t>(first + count);
  return {{all.target_logits.begin() + begin, all.target_logits.begin() + end},
          {all.token_nll.begin() + begin, all.token_nll.begin() + end}};
}

std::size_t labelled_count(const Sample& sample) {
  return static_cast<std::size_t>(
      std::count_if(sample.kinds.begin(), sample.kinds.end(),
                    [](TokenKind kind) { return kind != TokenKind::prompt; }));
}

// The scores of `samples`, one pass; none for an empty list, but the pass is taken all the same.
std::vector<ReferenceScores> score_pass(BlockChain* chain,
                                        const std::vector<const Sample*>& samples) {
  std::vector<ReferenceScores> scores;
  if (samples.empty()) {
    chain->forward(nullptr, HeadVisitor());
    return scores;
  }
  const at::Device device = chain->parameters().options().device;
  std::vector<std::vector<std::int64_t>> sequences;
  for (const Sample* sample : samples) sequences.push_back(sample->ids);
  const PackedBatch packed = pack_sequences(sequences, device);
  const LabelledSet set = label_samples(samples, {}, 0, device);
  ReferenceScores all;
  chain->forward(&packed, [&](const Head& head, const at::Tensor& hidden_ND) {
    const SetScores set_scores(head, hidden_ND, set);
    all = {to_floats(set_scores.all_target_logits()), to_floats(set_scores.all_nll())};
  });
  std::size_t first = 0;
  for (const Sample* sample : samples) {
    const std::size_t count = labelled_count(*sample);
    scores.push_back(slice_scores(all, first, count));
    first += count;
  }
  return scores;
}

}  // namespace

std::vector<ReferenceScores> score_references(BlockChain* chain,
                                              const std::vector<const Sample*>& samples,
                                              const HostGroup& group) {
  const auto ranks = static_cast<std::size_t>(group.size());
  const auto rank = static_cast<std::size_t>(group.rank());
  // Rank r scores samples r, r + ranks, ...; every rank takes as many passes as the first.
  const std::size_t most = (samples.size() + ranks - 1) / ranks;
  std::string own;
  for (std::size_t first = 0; first < most; first += kSamplesPerPass) {
    std::vector<const Sample*> chosen;
    for (std::size_t k = first; k < std::min(most, first + kSamplesPerPass); ++k) {
      if (k * ranks + rank < samples.size()) chosen.push_back(samples[k * ranks + rank]);
    }
    for (const ReferenceScores& scores : score_pass(chain, chosen)) {
      for (const auto* values : {&scores.target_logits, &scores.token_nll}) {
        own.append(reinterpret_cast<const char*>(values->data()), values->size() * sizeof(float));
      }
    }
  }
  const std::vector<std::string> gathered = group.all_gather(own);
  std::vector<std::size_t> offsets(ranks, 0);
  std::vector<ReferenceScores> result(samples.size());
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const std::string& source = gathered[i % ranks];
    std::size_t& offset = offsets[i % ranks];
    for (auto* values : {&result[i].target_logits, &result[i].token_nll}) {
      values->resize(labelled_count(*samples[i]));
      std::memcpy(values->data(), source.data() + offset, values->size() * sizeof(float));
      offset += values->size() * sizeof(float);
    }
  }
  return result;
}

ReferenceDistributions reference_distributions(BlockChain* chain,
                                               const std::vector<const Sample*>& samples,
                                               std::int64_t padded_length, const HostGroup& group) {
  const at::Device device = chain->parameters().options().device;
  const auto ranks = static_cast<std::size_t>(group.size());
  const auto hidden_size = static_cast<std::size_t>(chain->config().hidden_size);
  ReferenceDistributions result;
  // One sample of each rank at a time, so that what travels at once stays small.
  for (std::size_t first = 0; first < samples.size(); first += ranks) {
    const std::size_t own = first + static_cast<std::size_t>(group.rank());
    std::string bytes;
    PackedBatch packed;
    const bool has_sample = own < samples.size();
    if (has_sample) {
      packed = pack_sequences({padded_ids(*samples[own], padded_length)}, device);
      packed.attended = {std::ssize(samples[own]->ids)};
    }
    chain->forward(has_sample ? &packed : nullptr, [&](const Head& head, const at::Tensor& hidden) {
      const auto every = at::arange(hidden.size(0), packed.ids_N.options());
      const auto values = to_floats(head.normed(hidden, every));
      bytes.assign(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
    });
    const auto gathered = group.all_gather(bytes);
    for (std::size_t r = 0; r < ranks && first + r < samples.size(); ++r) {
      const auto length = gathered[r].size() / sizeof(float) / hidden_size;
      at::Tensor normed_TD = at::empty(
          {static_cast<std::int64_t>(length), static_cast<std::int64_t>(hidden_size)}, at::kFloat);
      std::memcpy(normed_TD.data_ptr(), gathered[r].data(), gathered[r].size());
      result.normed_TD.push_back(normed_TD.to(chain->parameters().options().compute_type));
    }
  }
  result.head_VD = chain->copy_of_head();
  return result;
}

}  // namespace tofu
