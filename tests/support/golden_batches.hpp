// Samples from the batches of the reference cases: padded token ids with three label arrays.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "data/sample.hpp"

namespace tofu::test {

// One sample per row of {"input_ids", "attention_mask", "labels", "answer_labels",
// "general_labels"}. Without `fill_mask` the whole answer counts as unwanted, as in the cases.
inline std::vector<Sample> golden_samples(const nlohmann::json& batch, bool fill_mask) {
  std::vector<Sample> samples;
  for (std::size_t row = 0; row < batch["input_ids"].size(); ++row) {
    const auto ids = batch["input_ids"][row].get<std::vector<std::int64_t>>();
    const auto mask = batch["attention_mask"][row].get<std::vector<int>>();
    const auto labels = batch[fill_mask ? "labels" : "answer_labels"][row];
    const auto general = batch["general_labels"][row];
    std::size_t length = 0;
    while (length < mask.size() && mask[length] == 1) ++length;
    Sample sample;
    for (std::size_t t = 0; t < length; ++t) {
      const std::size_t next = t + 1;
      TokenKind kind = TokenKind::prompt;
      std::int64_t target = next < length ? ids[next] : -1;
      if (next < ids.size() && labels[next] != -100) {
        kind = TokenKind::unwanted;
      } else if (next < ids.size() && general[next] != -100) {
        kind = next < length ? TokenKind::general : TokenKind::end;
        target = general[next].get<std::int64_t>();
        // Without the mask only the end is left to preserve.
        if (!fill_mask && kind == TokenKind::general) kind = TokenKind::unwanted;
      }
      sample.ids.push_back(ids[t]);
      sample.targets.push_back(target);
      sample.kinds.push_back(kind);
    }
    samples.push_back(std::move(sample));
  }
  return samples;
}

inline std::vector<const Sample*> pointers(const std::vector<Sample>& samples) {
  std::vector<const Sample*> result;
  for (const Sample& sample : samples) result.push_back(&sample);
  return result;
}

}  // namespace tofu::test
