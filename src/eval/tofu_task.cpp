#include "eval/tofu_task.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/log.hpp"
#include "data/split_digest.hpp"
#include "data/tokenize.hpp"
#include "eval/answer_scores.hpp"
#include "model/generation.hpp"
#include "text/rouge.hpp"

namespace tofu {
namespace {

using Json = nlohmann::json;

// What is measured on one item, as it travels between the ranks.
struct ItemResult {
  AnswerScore answer;
  double paraphrased_loss = 0;
  std::vector<double> perturbed_losses;
  std::string generated;
};

Json to_json(const ItemResult& item) {
  return {item.answer.nll_sum,   item.answer.tokens,    item.answer.kl_divergence,
          item.paraphrased_loss, item.perturbed_losses, item.generated};
}

ItemResult from_json(const Json& json) {
  ItemResult item;
  item.answer = {json[0], json[1], json[2]};
  item.paraphrased_loss = json[3];
  item.perturbed_losses = json[4].get<std::vector<double>>();
  item.generated = json[5];
  return item;
}

// The paraphrase stands for the right answer in the truth ratio; where a set has none, the answer
// itself does.
const std::string& right_answer(const Record& record) {
  return record.paraphrased_answer.empty() ? record.answer : record.paraphrased_answer;
}

class SetEvaluator {
 public:
  SetEvaluator(const EvalInput& input, const EvalSet& set, const HostGroup& world)
      : input_(input), set_(set) {
    tokenize_.max_length = input.config.max_length;
    tokenize_.border = parse_prompt_border(input.border);
    tokenize_.end_token = input.tokenizer.eos_id().value_or(input.model.config().eos_token_id());
    for (auto i = static_cast<std::size_t>(world.rank()); i < set.records.size();
         i += static_cast<std::size_t>(world.size())) {
      own_.push_back(i);
    }
  }

  const std::vector<std::size_t>& own_items() const { return own_; }

  std::vector<ItemResult> measure() const {
    std::vector<ItemResult> results(own_.size());
    score_right_answers(&results);
    score_other_answers(&results);
    generate_answers(&results);
    for (std::size_t k = 0; k < own_.size(); ++k) check_finite(own_[k], results[k]);
    return results;
  }

 private:
  void check_finite(std::size_t index, const ItemResult& item) const {
    double sum = item.answer.nll_sum + item.answer.kl_divergence + item.paraphrased_loss;
    for (const double loss : item.perturbed_losses) sum += loss;
    if (std::isfinite(sum)) return;
    fail(ErrorCategory::numerical,
         "{}: the losses of item {} are not finite numbers: the model's weights are damaged, or "
         "the precision is too low (precision=fp32)",
         set_.name, index);
  }

  Sample sample_of(const Record& record, const std::string& answer) const {
    return tokenize_sample(input_.tokenizer, input_.family, record.question, answer, {}, false,
                           tokenize_);
  }

  ScoreOptions score_options() const {
    ScoreOptions options;
    options.score_end = input_.config.eos == "keep";
    options.samples_per_forward = input_.config.batch_size;
    return options;
  }

  void score_right_answers(std::vector<ItemResult>* results) const {
    std::vector<Sample> samples;
    for (const std::size_t i : own_) {
      samples.push_back(sample_of(set_.records[i], set_.records[i].answer));
    }
    ScoreOptions options = score_options();
    options.reference = input_.reference;
    if (input_.config.kl_positions == "all") options.kl_padded_length = input_.config.max_length;
    const auto scores = score_answers(input_.model, samples, options);
    for (std::size_t k = 0; k < own_.size(); ++k) (*results)[k].answer = scores[k];
  }

  // The paraphrase and the wrong answers of all items in one go.
  void score_other_answers(std::vector<ItemResult>* results) const {
    std::vector<Sample> samples;
    for (const std::size_t i : own_) {
      const Record& record = set_.records[i];
      samples.push_back(sample_of(record, right_answer(record)));
      for (const std::string& wrong : record.perturbed_answers) {
        samples.push_back(sample_of(record, wrong));
      }
    }
    const auto scores = score_answers(input_.model, samples, score_options());
    std::size_t next = 0;
    for (std::size_t k = 0; k < own_.size(); ++k) {
      (*results)[k].paraphrased_loss = scores[next++].nll_mean();
      for (std::size_t j = 0; j < set_.records[own_[k]].perturbed_answers.size(); ++j) {
        (*results)[k].perturbed_losses.push_back(scores[next++].nll_mean());
      }
    }
  }

  void generate_answers(std::vector<ItemResult>* results) const {
    std::vector<std::vector<std::int64_t>> prompts;
    for (const std::size_t i : own_) {
      prompts.push_back(
          input_.tokenizer.encode(generation_prompt(input_.family, set_.records[i].question)).ids);
    }
    GenerationOptions options;
    options.max_length = input_.config.max_length;
    options.max_new_tokens = input_.config.max_new_tokens;
    options.batch_size = input_.config.batch_size;
    options.sample = input_.config.decode == "sample";
    options.seed_of = [&](std::size_t k) { return input_.seed + own_[k]; };
    const auto continuations = generate(input_.model, prompts, options);
    for (std::size_t k = 0; k < own_.size(); ++k) {
      (*results)[k].generated = trim(input_.tokenizer.decode(continuations[k]));
    }
  }

  static std::string trim(std::string text) {
    const auto blank = [](char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; };
    const auto first = std::find_if_not(text.begin(), text.end(), blank);
    text.erase(text.begin(), first);
    while (!text.empty() && blank(text.back())) text.pop_back();
    return text;
  }

  const EvalInput& input_;
  const EvalSet& set_;
  TokenizeOptions tokenize_;
  std::vector<std::size_t> own_;
};

SetLog to_log(const EvalSet& set, const std::vector<ItemResult>& items, bool with_kl,
              bool with_text) {
  SetLog log;
  if (with_kl) log.kl_divergence.emplace();
  for (std::size_t i = 0; i < items.size(); ++i) {
    const ItemResult& item = items[i];
    const Record& record = set.records[i];
    log.avg_gt_loss.push_back(item.answer.nll_mean());
    log.gt_loss.push_back(item.answer.nll_sum);
    log.num_token_gt.push_back(item.answer.tokens);
    log.rouge1_recall.push_back(rouge_n(record.answer, item.generated, 1).recall);
    log.rougeL_recall.push_back(rouge_l(record.answer, item.generated).recall);
    log.average_perturb_loss.push_back(item.perturbed_losses);
    log.avg_paraphrased_loss.push_back(item.paraphrased_loss);
    if (with_kl) log.kl_divergence->push_back(item.answer.kl_divergence);
    if (with_text) log.generated_text.push_back({record.question, item.generated, record.answer});
  }
  return log;
}

EvalConventions conventions_of(const EvalInput& input, const std::vector<EvalSet>& sets) {
  EvalConventions conventions = {
      {"eos", input.config.eos},
      {"ds_size", fmt::format("{}", input.config.ds_size)},
      {"decode", input.config.decode},
      {"max_length", fmt::format("{}", input.config.max_length)},
      {"border", input.border},
      {"template", input.family.question_start_tag + "|" + input.family.question_end_tag + "|" +
                       input.family.answer_tag}};
  for (const EvalSet& set : sets)
    conventions["questions of " + set.name] = split_digest(set.records);
  return conventions;
}

// The results of all items, in order, on every rank.
std::vector<ItemResult> gather_by_item(const SetEvaluator& evaluator,
                                       const std::vector<ItemResult>& own, std::size_t items,
                                       const HostGroup& world) {
  Json json = Json::array();
  for (std::size_t k = 0; k < own.size(); ++k) {
    json.push_back({evaluator.own_items()[k], to_json(own[k])});
  }
  std::vector<ItemResult> all(items);
  const auto keep_bytes = Json::error_handler_t::replace;
  for (const std::string& text : world.all_gather(json.dump(-1, ' ', false, keep_bytes))) {
    for (const Json& entry : Json::parse(text)) {
      all[entry[0].get<std::size_t>()] = from_json(entry[1]);
    }
  }
  return all;
}

}  // namespace

std::string generation_prompt(const ModelFamily& family, const std::string& question) {
  std::string prompt = prompt_text(family, question) + family.answer_tag;
  while (!prompt.empty() && prompt.back() == ' ') prompt.pop_back();
  return prompt;
}

std::vector<EvalSet> load_eval_sets(const Dataset& dataset, const std::string& split,
                                    std::int64_t ds_size) {
  std::vector<EvalSet> sets = {{kRetainSet, dataset.records("retain_perturbed")},
                               {kRealAuthorsSet, dataset.records("real_authors_perturbed")},
                               {kRealWorldSet, dataset.records("world_facts_perturbed")},
                               {kForgetSet, dataset.records(split + "_perturbed")}};
  for (EvalSet& set : sets) {
    for (std::size_t i = 0; i < set.records.size(); ++i) {
      if (set.records[i].perturbed_answers.empty()) {
        fail(ErrorCategory::input_data,
             "{}: record {} has no perturbed_answer; the evaluation sets are the *_perturbed files",
             set.name, i + 1);
      }
    }
    if (ds_size > 0 && std::ssize(set.records) > ds_size) {
      set.records.resize(static_cast<std::size_t>(ds_size));
    }
  }
  return sets;
}

EvalLog evaluate_sets(const EvalInput& input, const std::vector<EvalSet>& sets,
                      const HostGroup& world) {
  EvalLog log;
  log.conventions = conventions_of(input, sets);
  for (const EvalSet& set : sets) {
    log_info("evaluating {} items of {}", set.records.size(), set.name);
    const SetEvaluator evaluator(input, set, world);
    std::vector<ItemResult> own;
    world.together([&] { own = evaluator.measure(); });
    const auto items = gather_by_item(evaluator, own, set.records.size(), world);
    log.sets[set.name] =
        to_log(set, items, input.reference != nullptr, input.config.save_generated_text);
  }
  return log;
}

}  // namespace tofu
