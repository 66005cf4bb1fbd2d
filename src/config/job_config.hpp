// The configuration of a job as typed values. The keys are those of the published programs, so
// that a command line for them works here; keys of our own stand after them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tofu {

struct LoraConfig {
  std::int64_t r = 0;  // 0: all parameters are trained
  double alpha = 32;
  double dropout = 0.05;
  bool operator==(const LoraConfig&) const = default;
};

struct EvalConfig {
  std::string retain_result;      // the retain model's log; empty: forget quality is left out
  std::int64_t batch_size = 30;   // samples per forward of the teacher-forced metrics
  std::int64_t ds_size = 300;     // items of each set; -1 (spelt "all") for every item
  std::string eos = "drop";       // keep | drop: is the end of the sequence scored
  std::string decode = "greedy";  // greedy | sample
  std::string truth_ratio = "geometric";  // geometric | arithmetic | prob_mean
  std::string kl_positions = "attended";  // attended | all
  std::int64_t max_length = 200;    // tokens of prompt and answer together, generation included
                                    // (also spelt eval.generation.max_length, as published)
  std::int64_t max_new_tokens = 0;  // 0: up to max_length in all (eval.generation.max_new_tokens)
  bool save_generated_text = true;
  std::string reference_path;  // model of the KL divergence; empty: the KL is left out
  bool operator==(const EvalConfig&) const = default;
};

struct DataConfig {
  std::string border = "published";  // published | offsets: how the prompt's tokens are counted
  std::string eos = "drop";          // keep | drop: does training predict the end of the sequence
  bool operator==(const DataConfig&) const = default;
};

struct JobConfig {
  // Keys of the published programs.
  std::string model_family;
  std::string model_path;
  double lr = 1e-5;
  std::string split = "forget10";
  std::string retain_set;       // empty: the complement of split (forget10 -> retain90)
  std::int64_t batch_size = 4;  // samples of a micro-batch
  std::int64_t gradient_accumulation_steps = 4;
  double num_epochs = 10;
  std::string forget_loss = "tpo";
  std::string classifier;
  bool fill_mask = true;
  double npo_coeff = 1;
  double grad_diff_coeff = 1;
  double kl_coeff = 1;  // key: KL_coeff
  std::string ref_policy = "fine_tuned";
  std::optional<double> beta;  // empty (spelt "auto"): the best published value
  double gamma = 0;
  double weight_decay = 0.01;
  std::uint64_t seed = 1001;
  std::string save_dir;
  bool overwrite_dir = false;
  std::int64_t eval_steps = 0;     // evaluate every so many steps; 0: at the end alone; -1 (spelt
                                   // "steps_per_epoch"): after every epoch
  std::int64_t warmup_steps = -1;  // -1 (spelt "steps_per_epoch"): one epoch (forget), a tenth of
                                   // the steps (finetune)
  std::int64_t run_index = 1;      // a number for ${run_index} in save_dir
  EvalConfig eval;
  LoraConfig lora;  // key: LoRA

  // Keys of our own.
  std::string data_path;               // folder of JSON files, or a prepared .h5
  std::string masks_path;              // folder of mask files, or a prepared .h5
  std::string tokenizer_path;          // empty: the model's folder
  std::int64_t max_steps = 0;          // 0: as many as num_epochs needs
  std::int64_t global_batch_size = 0;  // 0: batch_size * accumulation * ranks
  int zero_stage = 2;
  std::string shard_group = "world";         // world | node
  std::string precision = "bf16";            // fp32 | bf16
  std::string recompute = "auto";            // auto | on | off
  double max_grad_norm = 1.0;                // 0: no clipping
  std::string lpl_scope = "micro_batch";     // sample | micro_batch | global_batch
  std::string retain_pairing = "published";  // published | per_epoch
  std::string resume = "auto";               // auto | never | a checkpoint's folder
  std::int64_t save_every = 0;               // steps between checkpoints; 0: at the end alone
  std::int64_t keep_last = 2;                // checkpoints kept beside the final one
  double max_wall_time = 0;                  // seconds; 0: no limit
  double comm_timeout = 600;                 // seconds a rank waits for the others
  std::int64_t log_every = 1;                // steps between lines of log.jsonl
  std::int64_t max_length = 500;             // tokens of a training sample
  std::string init = "pretrained";  // pretrained | random (a new model of model_path's config.json)
  DataConfig data;
  std::string device = "auto";  // auto | cpu | cuda

  // Keys of single commands.
  std::string from;             // convert: what to read
  std::string to;               // convert: what to write
  std::string out;              // prepare, identify: what to write
  std::string ckpt_result;      // aggregate: the unlearned model's log
  std::string retain_result;    // aggregate: the retain model's log
  std::string save_file;        // aggregate: where the table goes
  std::string prompt;           // generate: the question
  std::string identifier_path;  // identify: folder of the masked language model
  // identify: what a word needs to count as general (bert: its probability; frequency: the share
  // of authors), or to count as unwanted (model: the drop of its probability); empty (spelt
  // "auto"): the classifier's own
  std::optional<double> threshold;
  double name_threshold = 0.5;       // identify, frequency: the same for names and numbers
  std::int64_t author_records = 20;  // identify, frequency: records in a row about one author
  std::string base_model_path;       // identify, model: what knows nothing of the facts
  std::string instruction_path;      // identify, gpt: what the model is told; empty: as shipped
  std::string chat_model;            // identify, gpt: the model's name at the service
  std::string endpoint;              // identify, gpt: "http://host:port/v1"
  std::int64_t max_concurrency = 8;  // identify, gpt: requests under way at once
  double request_timeout = 120;      // identify, gpt: seconds for an answer
  std::string emit;                  // identify, gpt: write the requests to this file, ask nobody
  std::string collect;               // identify, gpt: read the answers from this file
  std::string compare;               // identify: masks to compare with those of `reference`
  std::string reference;
  std::int64_t record = 0;  // inspect: which one, from 1; -1 (spelt "all"): all; 0: an overview
  bool operator==(const JobConfig&) const = default;
};

// One entry of configs/model_config.yaml: how a family frames a question and its answer.
struct ModelFamily {
  std::string name;
  std::string hf_key;
  std::string question_start_tag;
  std::string question_end_tag;
  std::string answer_tag;
  std::map<std::string, double> best_beta;  // split -> beta of TPO, where published
};

// `file` is the configuration file as it was found ("configs/forget.yaml"); empty if the command
// has none. `warnings` are lines for the user, such as published keys that have no effect here.
struct LoadedConfig {
  JobConfig job;
  std::filesystem::path file;
  std::vector<std::string> warnings;
};

// Reads the configuration of `command`: `config_file`, or configs/<command>.yaml of the current
// folder, else of the installation, when it is empty; then applies `overrides` ("key=value", nested
// keys with dots) in order. ${key} and ${env:NAME} are replaced. An unknown key, a value of the
// wrong type or outside its range, and an unresolvable reference throw Error{usage} naming the
// file (or "command line"), the key, and for an unknown key the nearest known one.
LoadedConfig load_config(const std::string& command, const std::filesystem::path& config_file,
                         const std::vector<std::string>& overrides);

// The resolved configuration as YAML that load_config reads back to the same values.
std::string to_yaml(const JobConfig& config);

// Flat "key" -> "value" text of every key, nested keys with dots: what files record of a run.
std::vector<std::pair<std::string, std::string>> to_key_values(const JobConfig& config);

// Throws Error{usage} saying that `key` has to be set, and in which file, if `value` is empty.
void require_key(const LoadedConfig& config, const std::string& key, const std::string& value);

// The entry `name` of model_config.yaml (beside `config_file`, else configs/ of the current folder,
// else of the installation). Error{usage} names the file and the known families.
ModelFamily load_model_family(const std::filesystem::path& config_file, const std::string& name);

// The beta of TPO published for `family` and `split`; 0.32, its published default, for any other.
double best_beta(const ModelFamily& family, const std::string& split);

// The retain split that belongs to a forget split: forget10 -> retain90. Error{usage} otherwise.
std::string complement_split(const std::string& forget_split);

}  // namespace tofu
