// The evaluation logs in the published layout: for each of TOFU's four sets, values by item.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tofu {

// The published names of the sets, in the order of the published table.
inline constexpr const char* kRealAuthorsSet = "eval_real_author_wo_options.json";
inline constexpr const char* kRealWorldSet = "eval_real_world_wo_options.json";
inline constexpr const char* kRetainSet = "eval_log.json";
inline constexpr const char* kForgetSet = "eval_log_forget.json";
inline constexpr std::array kEvalSets = {kRealAuthorsSet, kRealWorldSet, kRetainSet, kForgetSet};

struct GeneratedText {
  std::string question;
  std::string generated;
  std::string ground_truth;
  bool operator==(const GeneratedText&) const = default;
};

// One set. Each vector has one entry per item, in the order of the items; losses are in nats.
struct SetLog {
  std::vector<double> avg_gt_loss;         // mean over the answer's tokens
  std::vector<double> gt_loss;             // sum over them
  std::vector<std::int64_t> num_token_gt;  // their number
  std::vector<double> rouge1_recall;
  std::vector<double> rougeL_recall;
  std::vector<std::vector<double>> average_perturb_loss;  // of each wrong answer, as avg_gt_loss
  std::vector<double> avg_paraphrased_loss;
  std::optional<std::vector<double>> kl_divergence;  // from a reference model
  std::vector<GeneratedText> generated_text;         // empty if it was not kept
  bool operator==(const SetLog&) const = default;
};

// What has to be equal for the figures of two logs to be comparable, by name: eos, ds_size, decode,
// digests of the questions, ... Empty in logs of other programs.
using EvalConventions = std::map<std::string, std::string>;

struct EvalLog {
  std::string source;                  // the file it came from, for messages; may be empty
  std::map<std::string, SetLog> sets;  // by published name
  EvalConventions conventions;
};

// Reads an aggregated log (eval_log_aggregated.json). Arrays may be lists or, as published, objects
// {"0": x, ...} in any order. Sets and arrays of other names are skipped. Error{file_system} or
// Error{input_data} names the file, set and key.
EvalLog read_eval_log(const std::filesystem::path& file);

// The same from text; `source` names it in messages.
EvalLog parse_eval_log(const std::string& text, const std::string& source);

// The content of eval_log_aggregated.json, and of the file of a single set. The conventions stand
// in every set: the published scripts take each entry beside the sets for one more set, but ignore
// what they do not know inside one.
std::string eval_log_json(const EvalLog& log);
std::string set_log_json(const SetLog& set, const EvalConventions& conventions);

}  // namespace tofu
