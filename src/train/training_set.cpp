#include "train/training_set.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "store/checksum.hpp"

namespace tofu {
namespace {

std::vector<Sample> make_samples(const std::vector<Record>& records, const SampleMaker& maker) {
  std::vector<Sample> samples;
  for (const Record& record : records) {
    samples.push_back(maker.make(record.question, record.answer, nullptr));
  }
  return samples;
}

std::vector<Sample> make_masked_samples(const Dataset& dataset, const std::vector<Record>& records,
                                        const SampleMaker& maker, const JobConfig& job) {
  if (!job.fill_mask) return make_samples(records, maker);
  if (job.classifier.empty()) {
    fail(ErrorCategory::usage,
         "fill_mask=true needs to know whose masks: set classifier (bert, gpt, ...), or "
         "fill_mask=false to unlearn whole answers");
  }
  const AnswerMasks masks = dataset.masks(job.split, job.classifier);
  std::vector<Sample> samples;
  for (std::size_t i = 0; i < records.size(); ++i) {
    samples.push_back(maker.make(records[i].question, records[i].answer, &masks[i]));
  }
  return samples;
}

std::uint64_t checksum_of(const Sample& sample) {
  const auto count = static_cast<std::int64_t>(sample.ids.size());
  return checksum_part(sample.ids.data(), 8, 0, count) +
         3 * checksum_part(sample.targets.data(), 8, 0, count) +
         5 * checksum_part(sample.kinds.data(), 1, 0, count);
}

}  // namespace

Sample SampleMaker::make(const std::string& question, const std::string& answer,
                         const std::vector<WordSpan>* general_words) const {
  const bool masked = general_words != nullptr;
  return tokenize_sample(
      tokenizer, family, question, answer,
      masked ? std::span<const WordSpan>(*general_words) : std::span<const WordSpan>(), masked,
      options);
}

TrainingSet TrainingSet::for_finetuning(const Dataset& dataset, const SampleMaker& maker,
                                        const std::string& split) {
  TrainingSet set;
  set.forget_ = make_samples(dataset.records(split), maker);
  if (!maker.keep_end) {
    for (Sample& sample : set.forget_) {
      if (sample.kinds.back() == TokenKind::end) sample.kinds.back() = TokenKind::prompt;
    }
  }
  return set;
}

TrainingSet TrainingSet::for_unlearning(const Dataset& dataset, const SampleMaker& maker,
                                        const JobConfig& job, const Objective& objective,
                                        std::int64_t epochs) {
  TrainingSet set;
  set.seed_ = job.seed;
  set.pairing_ = parse_pairing_mode(job.retain_pairing);
  const std::vector<Record> records = dataset.records(job.split);
  set.forget_ = make_masked_samples(dataset, records, maker, job);
  if (objective.needs_retain || objective.needs_refusal) {
    const std::string retain =
        job.retain_set.empty() ? complement_split(job.split) : job.retain_set;
    set.retain_ = make_samples(dataset.records(retain), maker);
  }
  const std::int64_t variants = set.pairing_ == PairingMode::per_epoch ? epochs : 1;
  if (objective.needs_distributions) set.note_drawn_retain(variants);
  if (!objective.needs_refusal) return set;
  const std::vector<std::string> refusals = dataset.refusals();
  set.refusal_count_ = std::ssize(refusals);
  for (std::int64_t epoch = 0; epoch < variants; ++epoch) {
    for (std::int64_t i = 0; i < set.size(); ++i) {
      const Partners partners = set.partners_of({epoch, i});
      set.refusal_.push_back(maker.make(records[static_cast<std::size_t>(i)].question,
                                        refusals[static_cast<std::size_t>(partners.refusal)],
                                        nullptr));
    }
  }
  return set;
}

std::string TrainingSet::digest() const {
  std::uint64_t sum = 0;
  std::uint64_t index = 0;
  for (const auto* samples : {&forget_, &retain_, &refusal_}) {
    for (const Sample& sample : *samples) sum += mix64(++index) * checksum_of(sample);
  }
  return fmt::format("{:016x}", mix64(sum));
}

std::vector<const Sample*> TrainingSet::reference_samples() const {
  std::vector<const Sample*> samples;
  for (const auto* group : {&forget_, &refusal_}) {
    for (const Sample& sample : *group) samples.push_back(&sample);
  }
  return samples;
}

std::vector<const Sample*> TrainingSet::distribution_samples() const {
  std::vector<const Sample*> samples;
  for (const std::size_t index : drawn_retain_) samples.push_back(&retain_[index]);
  return samples;
}

void TrainingSet::set_distributions(ReferenceDistributions distributions,
                                    std::int64_t padded_length) {
  distributions_ = std::move(distributions);
  retain_padded_length_ = padded_length;
}

void TrainingSet::note_drawn_retain(std::int64_t epochs) {
  for (std::int64_t epoch = 0; epoch < epochs; ++epoch) {
    for (std::int64_t i = 0; i < size(); ++i) drawn_retain_.push_back(retain_index({epoch, i}));
  }
  std::sort(drawn_retain_.begin(), drawn_retain_.end());
  drawn_retain_.erase(std::unique(drawn_retain_.begin(), drawn_retain_.end()), drawn_retain_.end());
}

void TrainingSet::set_references(std::vector<ReferenceScores> scores) {
  references_ = std::move(scores);
}

Partners TrainingSet::partners_of(const SampleDraw& draw) const {
  return draw_partners(pairing_, seed_, draw.epoch, draw.index, std::ssize(retain_),
                       refusal_count_);
}

std::size_t TrainingSet::retain_index(const SampleDraw& draw) const {
  return static_cast<std::size_t>(partners_of(draw).retain);
}

std::size_t TrainingSet::refusal_index(const SampleDraw& draw) const {
  const std::int64_t variant = pairing_ == PairingMode::per_epoch ? draw.epoch : 0;
  return static_cast<std::size_t>(variant * size() + draw.index);
}

std::vector<MicroBatch> TrainingSet::micro_batches(std::uint64_t seed, std::int64_t step,
                                                   std::int64_t global_batch_size,
                                                   std::int64_t micro_batch_size) const {
  std::vector<SampleDraw> draws = global_batch_indices(seed, step, global_batch_size, size());
  std::stable_sort(draws.begin(), draws.end(), [&](const SampleDraw& a, const SampleDraw& b) {
    return forget_[static_cast<std::size_t>(a.index)].ids.size() >
           forget_[static_cast<std::size_t>(b.index)].ids.size();
  });
  std::vector<MicroBatch> batches;
  for (std::size_t i = 0; i < draws.size(); ++i) {
    if (i % static_cast<std::size_t>(micro_batch_size) == 0) batches.emplace_back();
    MicroBatch& batch = batches.back();
    const auto index = static_cast<std::size_t>(draws[i].index);
    batch.forget.push_back(&forget_[index]);
    if (!references_.empty()) batch.forget_references.push_back(&references_[index]);
    if (!retain_.empty()) {
      const std::size_t retain = retain_index(draws[i]);
      batch.retain.push_back(&retain_[retain]);
      if (!distributions_.normed_TD.empty()) {
        const auto place = std::lower_bound(drawn_retain_.begin(), drawn_retain_.end(), retain);
        batch.retain_distributions.push_back(
            &distributions_.normed_TD[static_cast<std::size_t>(place - drawn_retain_.begin())]);
        batch.reference_head_VD = distributions_.head_VD;
        batch.retain_padded_length = retain_padded_length_;
      }
    }
    if (!refusal_.empty()) {
      const std::size_t refusal = refusal_index(draws[i]);
      batch.refusal.push_back(&refusal_[refusal]);
      if (!references_.empty()) {
        batch.refusal_references.push_back(&references_[forget_.size() + refusal]);
      }
    }
  }
  return batches;
}

}  // namespace tofu
