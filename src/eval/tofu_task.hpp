// TOFU's evaluation: which questions are asked, and what is measured on each set.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "comm/session.hpp"
#include "config/job_config.hpp"
#include "data/dataset.hpp"
#include "eval/eval_log.hpp"
#include "model/llama.hpp"
#include "text/tokenizer.hpp"

namespace tofu {

// One of the four sets: its published name and its records, with `answer` and perturbed answers.
struct EvalSet {
  std::string name;             // as in eval_log.hpp
  std::vector<Record> records;  // the first ds_size
};

// The sets for unlearning `split`: retain_perturbed, real_authors_perturbed, world_facts_perturbed
// and <split>_perturbed. Error{input_data} names a split that is not there.
std::vector<EvalSet> load_eval_sets(const Dataset& dataset, const std::string& split,
                                    std::int64_t ds_size);

// What a model is given to answer a question: everything up to the answer. Without a space at the
// end: in training the first word's token begins with it.
std::string generation_prompt(const ModelFamily& family, const std::string& question);

struct EvalInput {
  const Llama& model;
  const Llama* reference = nullptr;  // for the KL divergence; none: it is left out
  const Tokenizer& tokenizer;
  const ModelFamily& family;
  EvalConfig config;
  std::string border;      // data.border
  std::uint64_t seed = 0;  // with eval.decode sample
};

// Evaluates the sets, each rank the items whose number modulo the world size is its own, and
// gathers the results by item: the same log on every rank, whatever their number. Collective.
EvalLog evaluate_sets(const EvalInput& input, const std::vector<EvalSet>& sets,
                      const HostGroup& world);

}  // namespace tofu
