// The tokenised samples of a training with their partners, and micro-batches made of them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "config/job_config.hpp"
#include "data/dataset.hpp"
#include "data/pairing.hpp"
#include "data/sampler.hpp"
#include "data/tokenize.hpp"
#include "objective/micro_batch.hpp"

namespace tofu {

// How records become samples, for one model and configuration.
struct SampleMaker {
  const Tokenizer& tokenizer;
  const ModelFamily& family;
  TokenizeOptions options;
  bool keep_end = false;  // data.eos: also train the end of the sequence

  // Without a mask (`general_words` null) the whole answer is unwanted.
  Sample make(const std::string& question, const std::string& answer,
              const std::vector<WordSpan>* general_words) const;
};

class TrainingSet {
 public:
  // The samples of `split`: the plain answers.
  static TrainingSet for_finetuning(const Dataset& dataset, const SampleMaker& maker,
                                    const std::string& split);
  // The forget samples of job.split, masked if job.fill_mask, with the partners that the objective
  // needs. `epochs`: how many are begun (partners differ by epoch with retain_pairing per_epoch).
  static TrainingSet for_unlearning(const Dataset& dataset, const SampleMaker& maker,
                                    const JobConfig& job, const Objective& objective,
                                    std::int64_t epochs);

  std::int64_t size() const { return std::ssize(forget_); }
  // A digest of all token ids, targets and kinds: what was trained on.
  std::string digest() const;

  // The samples that need reference scores: forget samples, then refusals.
  std::vector<const Sample*> reference_samples() const;
  void set_references(std::vector<ReferenceScores> scores);
  // The samples that need reference distributions: the retain samples that are partners of a forget
  // sample. `padded_length`: as the KL term counts positions (0: the samples' own).
  std::vector<const Sample*> distribution_samples() const;
  void set_distributions(ReferenceDistributions distributions, std::int64_t padded_length);

  // The micro-batches of a step, numbered over all ranks: the step's samples in the order of their
  // length, so that a micro-batch has little to pad, cut into pieces of `micro_batch_size`.
  std::vector<MicroBatch> micro_batches(std::uint64_t seed, std::int64_t step,
                                        std::int64_t global_batch_size,
                                        std::int64_t micro_batch_size) const;

 private:
  void note_drawn_retain(std::int64_t epochs);
  std::size_t retain_index(const SampleDraw& draw) const;
  Partners partners_of(const SampleDraw& draw) const;
  std::size_t refusal_index(const SampleDraw& draw) const;

  std::vector<Sample> forget_;
  std::vector<Sample> retain_;
  std::vector<Sample> refusal_;              // for each epoch (or once) one per forget sample
  std::vector<ReferenceScores> references_;  // of forget_, then of refusal_
  std::vector<std::size_t> drawn_retain_;  // of retain_: partners of some forget sample, ascending
  ReferenceDistributions distributions_;   // of drawn_retain_
  std::int64_t retain_padded_length_ = 0;
  PairingMode pairing_ = PairingMode::published;
  std::uint64_t seed_ = 0;
  std::int64_t refusal_count_ = 0;  // lines to draw from
};

}  // namespace tofu
