#include "config/config_keys.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <concepts>
#include <limits>
#include <numeric>
#include <optional>
#include <type_traits>

namespace tofu {
namespace {

// Reads all of `text` as a number; nothing if it is not one, or not a finite one.
template <typename Number>
std::optional<Number> to_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  Number value{};
  const char* end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, value);
  if (status != std::errc() || stop != end) return std::nullopt;
  if constexpr (std::floating_point<Number>) {
    if (!std::isfinite(value)) return std::nullopt;
  }
  return value;
}

// Integers may be spelt as 1e3 or 4.0, as YAML allows, as long as nothing is lost.
template <std::integral Integer>
std::optional<Integer> to_integer(std::string_view text) {
  if (const auto value = to_number<Integer>(text)) return value;
  constexpr double kExactIntegers = 9007199254740992.0;  // 2^53
  const auto real = to_number<double>(text);
  if (!real || *real != std::floor(*real) || std::abs(*real) > kExactIntegers) return std::nullopt;
  if (*real < static_cast<double>(std::numeric_limits<Integer>::min()) ||
      *real > static_cast<double>(std::numeric_limits<Integer>::max())) {
    return std::nullopt;
  }
  return static_cast<Integer>(*real);
}

// The spellings of YAML 1.1, which Python's reader accepts.
std::optional<bool> to_bool(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (text == "true" || text == "yes" || text == "on") return true;
  if (text == "false" || text == "no" || text == "off") return false;
  return std::nullopt;
}

// A member of a nested struct, to be used like a pointer to a member.
template <typename Outer, typename Inner>
auto in(Outer outer, Inner inner) {
  return [=](auto& config) -> auto& {
    return (config.*outer).*inner;
  };
}

template <typename Member>
ConfigKey make_key(std::string name, std::string expects, Member member,
                   std::function<bool(JobConfig&, const std::string&)> parse) {
  ConfigKey key;
  key.name = std::move(name);
  key.expects = std::move(expects);
  key.parse = std::move(parse);
  key.format = [=](const JobConfig& config) {
    return fmt::format("{}", std::invoke(member, config));
  };
  return key;
}

template <typename Member>
ConfigKey text(std::string name, Member member) {
  auto key = make_key(std::move(name), "text", member, [=](JobConfig& config, const auto& value) {
    std::invoke(member, config) = value;
    return true;
  });
  key.is_text = true;
  return key;
}

template <typename Member>
ConfigKey choice(std::string name, Member member, std::vector<std::string> allowed) {
  const auto expects =
      allowed.size() == 1 ? allowed.front() : fmt::format("one of {}", fmt::join(allowed, ", "));
  auto key = make_key(std::move(name), expects, member, [=](JobConfig& config, const auto& value) {
    if (std::find(allowed.begin(), allowed.end(), value) == allowed.end()) return false;
    std::invoke(member, config) = value;
    return true;
  });
  key.is_text = true;
  return key;
}

template <typename Member>
ConfigKey boolean(std::string name, Member member) {
  return make_key(std::move(name), "true or false", member,
                  [=](JobConfig& config, const auto& value) {
                    const auto parsed = to_bool(value);
                    if (parsed) std::invoke(member, config) = *parsed;
                    return parsed.has_value();
                  });
}

struct IntegerRange {
  std::int64_t least = 0;
  std::int64_t most = std::numeric_limits<std::int64_t>::max();
  // A word that stands for one more value.
  std::string word = {};
  std::int64_t word_value = 0;
};

template <typename Member>
ConfigKey integer(std::string name, Member member, IntegerRange range) {
  using Integer = std::remove_cvref_t<std::invoke_result_t<Member, JobConfig&>>;
  const bool bounded = range.most != std::numeric_limits<std::int64_t>::max();
  auto expects = bounded ? fmt::format("an integer from {} to {}", range.least, range.most)
                         : fmt::format("an integer of at least {}", range.least);
  if (!range.word.empty()) expects += fmt::format(", or {}", range.word);
  return make_key(
      std::move(name), expects, member, [=](JobConfig& config, const std::string& value) {
        Integer parsed{};
        if (!range.word.empty() && value == range.word) {
          parsed = static_cast<Integer>(range.word_value);
        } else if (const auto number = to_integer<Integer>(value)) {
          parsed = *number;
          const bool is_word = !range.word.empty() && std::cmp_equal(parsed, range.word_value);
          if (!is_word && (std::cmp_less(parsed, range.least) ||
                           (bounded && std::cmp_greater(parsed, range.most)))) {
            return false;
          }
        } else {
          return false;
        }
        std::invoke(member, config) = parsed;
        return true;
      });
}

struct RealRange {
  double least = 0;
  double most = std::numeric_limits<double>::infinity();
  bool least_is_excluded = false;

  bool holds(double value) const {
    return (least_is_excluded ? value > least : value >= least) && value <= most;
  }
  std::string describe() const {
    if (std::isfinite(most)) return fmt::format("a number from {} to {}", least, most);
    return fmt::format("a number {} {}", least_is_excluded ? "above" : "of at least", least);
  }
};

constexpr RealRange kPositive{.least_is_excluded = true};

template <typename Member>
ConfigKey real(std::string name, Member member, RealRange range = {}) {
  return make_key(std::move(name), range.describe(), member,
                  [=](JobConfig& config, const auto& value) {
                    const auto parsed = to_number<double>(value);
                    if (!parsed || !range.holds(*parsed)) return false;
                    std::invoke(member, config) = *parsed;
                    return true;
                  });
}

// A number, or "auto" for none.
ConfigKey optional_real(std::string name, std::optional<double> JobConfig::*member,
                        RealRange range) {
  ConfigKey key;
  key.name = std::move(name);
  key.expects = range.describe() + ", or auto";
  key.parse = [=](JobConfig& config, const std::string& value) {
    const auto parsed = to_number<double>(value);
    if (value != "auto" && (!parsed || !range.holds(*parsed))) return false;
    config.*member = parsed;
    return true;
  };
  key.format = [=](const JobConfig& config) {
    return config.*member ? fmt::format("{}", *(config.*member)) : std::string("auto");
  };
  return key;
}

ConfigKey also_spelt(std::string published_name, ConfigKey key) {
  key.published_name = std::move(published_name);
  return key;
}

std::vector<ConfigKey> make_config_keys() {
  using C = JobConfig;
  using E = EvalConfig;
  return {
      text("model_family", &C::model_family),
      text("model_path", &C::model_path),
      text("tokenizer_path", &C::tokenizer_path),
      choice("init", &C::init, {"pretrained", "random"}),
      integer("LoRA.r", in(&C::lora, &LoraConfig::r), {.least = 0}),
      real("LoRA.alpha", in(&C::lora, &LoraConfig::alpha), kPositive),
      real("LoRA.dropout", in(&C::lora, &LoraConfig::dropout), {.most = 1}),

      text("data_path", &C::data_path),
      text("masks_path", &C::masks_path),
      text("split", &C::split),
      text("retain_set", &C::retain_set),
      choice("retain_pairing", &C::retain_pairing, {"published", "per_epoch"}),
      text("classifier", &C::classifier),
      boolean("fill_mask", &C::fill_mask),
      integer("max_length", &C::max_length, {.least = 2}),
      choice("data.border", in(&C::data, &DataConfig::border), {"published", "offsets"}),
      choice("data.eos", in(&C::data, &DataConfig::eos), {"keep", "drop"}),

      text("forget_loss", &C::forget_loss),
      optional_real("beta", &C::beta, kPositive),
      real("gamma", &C::gamma),
      real("npo_coeff", &C::npo_coeff),
      real("grad_diff_coeff", &C::grad_diff_coeff),
      real("KL_coeff", &C::kl_coeff),
      choice("ref_policy", &C::ref_policy, {"fine_tuned"}),
      choice("lpl_scope", &C::lpl_scope, {"sample", "micro_batch", "global_batch"}),

      real("lr", &C::lr),
      real("weight_decay", &C::weight_decay),
      real("max_grad_norm", &C::max_grad_norm),
      integer("batch_size", &C::batch_size, {.least = 1}),
      integer("gradient_accumulation_steps", &C::gradient_accumulation_steps, {.least = 1}),
      integer("global_batch_size", &C::global_batch_size, {.least = 0}),
      real("num_epochs", &C::num_epochs),
      integer("max_steps", &C::max_steps, {.least = 0}),
      integer("warmup_steps", &C::warmup_steps,
              {.least = 0, .word = "steps_per_epoch", .word_value = -1}),
      integer("seed", &C::seed, {.least = 0}),
      integer("run_index", &C::run_index, {.least = 0}),

      text("save_dir", &C::save_dir),
      boolean("overwrite_dir", &C::overwrite_dir),
      text("resume", &C::resume),
      integer("save_every", &C::save_every, {.least = 0}),
      integer("keep_last", &C::keep_last, {.least = 0}),
      integer("log_every", &C::log_every, {.least = 1}),
      real("max_wall_time", &C::max_wall_time),
      real("comm_timeout", &C::comm_timeout, kPositive),

      choice("device", &C::device, {"auto", "cpu", "cuda"}),
      choice("precision", &C::precision, {"fp32", "bf16"}),
      integer("zero_stage", &C::zero_stage, {.least = 0, .most = 3}),
      choice("shard_group", &C::shard_group, {"world", "node"}),
      choice("recompute", &C::recompute, {"auto", "on", "off"}),

      integer("eval_steps", &C::eval_steps,
              {.least = 0, .word = "steps_per_epoch", .word_value = -1}),
      text("eval.retain_result", in(&C::eval, &E::retain_result)),
      integer("eval.batch_size", in(&C::eval, &E::batch_size), {.least = 1}),
      integer("eval.ds_size", in(&C::eval, &E::ds_size),
              {.least = 1, .word = "all", .word_value = -1}),
      choice("eval.eos", in(&C::eval, &E::eos), {"keep", "drop"}),
      choice("eval.decode", in(&C::eval, &E::decode), {"greedy", "sample"}),
      choice("eval.truth_ratio", in(&C::eval, &E::truth_ratio),
             {"geometric", "arithmetic", "prob_mean"}),
      choice("eval.kl_positions", in(&C::eval, &E::kl_positions), {"attended", "all"}),
      also_spelt("eval.generation.max_length",
                 integer("eval.max_length", in(&C::eval, &E::max_length), {.least = 2})),
      also_spelt("eval.generation.max_new_tokens",
                 integer("eval.max_new_tokens", in(&C::eval, &E::max_new_tokens), {.least = 0})),
      boolean("eval.save_generated_text", in(&C::eval, &E::save_generated_text)),
      text("eval.reference_path", in(&C::eval, &E::reference_path)),

      text("from", &C::from),
      text("to", &C::to),
      text("out", &C::out),
      text("ckpt_result", &C::ckpt_result),
      text("retain_result", &C::retain_result),
      text("save_file", &C::save_file),
      text("prompt", &C::prompt),
      text("identifier_path", &C::identifier_path),
      optional_real("threshold", &C::threshold, {.most = 1}),
      real("name_threshold", &C::name_threshold, {.most = 1}),
      integer("author_records", &C::author_records, {.least = 1}),
      text("base_model_path", &C::base_model_path),
      text("instruction_path", &C::instruction_path),
      text("chat_model", &C::chat_model),
      text("endpoint", &C::endpoint),
      integer("max_concurrency", &C::max_concurrency, {.least = 1, .most = 1000}),
      real("request_timeout", &C::request_timeout, kPositive),
      text("emit", &C::emit),
      text("collect", &C::collect),
      text("compare", &C::compare),
      text("reference", &C::reference),
      integer("record", &C::record, {.least = 0, .word = "all", .word_value = -1}),
  };
}

// What the published evaluation spells out and this program fixes: the four sets of TOFU, read
// from data_path, of the model and in the folder of the job itself.
const std::vector<FixedKey>& fixed_keys() {
  static const std::vector<FixedKey> keys = {
      {"eval.model_path", ""},
      {"eval.model_family", ""},
      {"eval.save_dir", ""},
      {"eval.aggr_save_dir", ""},
      {"eval.data_path", ""},
      {"eval.split", ""},
      {"eval.split_list", ""},
      {"eval.eval_task", ""},
      {"eval.question_key", ""},
      {"eval.answer_key", ""},
      {"eval.base_answer_key", ""},
      {"eval.perturbed_answer_key", ""},
      {"eval.overwrite", ""},
      {"eval.use_pretrained", "false"},
      {"eval.reinitialize_weights", "false"},
  };
  return keys;
}

// Levenshtein distance in bytes.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, substituted});
    }
  }
  return row.back();
}

}  // namespace

const std::vector<ConfigKey>& config_keys() {
  static const std::vector<ConfigKey> keys = make_config_keys();
  return keys;
}

const ConfigKey* find_config_key(std::string_view name) {
  for (const ConfigKey& key : config_keys()) {
    if (key.name == name || (!key.published_name.empty() && key.published_name == name)) {
      return &key;
    }
  }
  return nullptr;
}

const FixedKey* find_fixed_key(std::string_view name) {
  for (const FixedKey& key : fixed_keys()) {
    if (key.name == name) return &key;
  }
  return nullptr;
}

std::string nearest_name(std::string_view unknown, const std::vector<std::string>& known) {
  std::string nearest;
  std::size_t smallest = std::numeric_limits<std::size_t>::max();
  for (const std::string& name : known) {
    std::size_t distance = edit_distance(unknown, name);
    if (name.ends_with(fmt::format(".{}", unknown))) distance = 1;
    if (distance < smallest) {
      smallest = distance;
      nearest = name;
    }
  }
  return nearest;
}

}  // namespace tofu
