#include "model/llama_config.hpp"

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "base/error.hpp"
#include "base/log.hpp"

namespace tofu {
namespace {

using Json = nlohmann::json;

// Fields that describe how a model was made, stored or served and never change its numbers here.
const std::set<std::string> kHarmless = {"_name_or_path",
                                         "architectures",
                                         "bos_token_id",
                                         "pad_token_id",
                                         "eos_token_id",
                                         "torch_dtype",
                                         "dtype",
                                         "transformers_version",
                                         "use_cache",
                                         "model_type",
                                         "initializer_range",
                                         "pretraining_tp",
                                         "attention_dropout",
                                         "return_dict",
                                         "output_attentions",
                                         "output_hidden_states",
                                         "is_llama_config",
                                         "chunk_size_feed_forward",
                                         "is_decoder",
                                         "is_encoder_decoder",
                                         "id2label",
                                         "label2id",
                                         "problem_type",
                                         "tokenizer_class",
                                         "transformers.js_config",
                                         "_attn_implementation_autoset",
                                         "unsloth_version"};

const std::set<std::string> kRead = {
    "vocab_size",          "hidden_size",         "intermediate_size", "num_hidden_layers",
    "num_attention_heads", "num_key_value_heads", "head_dim",          "max_position_embeddings",
    "rms_norm_eps",        "rope_theta",          "rope_scaling",      "rope_parameters",
    "tie_word_embeddings", "hidden_act",          "attention_bias",    "mlp_bias",
    "sliding_window",      "quantization_config", "rope_interleaved",  "partial_rotary_factor"};

[[noreturn]] void refuse(const std::string& name, const std::string& field, const Json& value,
                         const char* supported) {
  fail(ErrorCategory::input_data,
       "{}: {} is {}, which this program does not compute (it knows {}); use another model", name,
       field, value.dump(), supported);
}

template <typename T>
T read_number(const Json& json, const std::string& field, const std::string& name) {
  if (!json.contains(field) || !json[field].is_number()) {
    fail(ErrorCategory::input_data,
         "{}: {} is missing or not a number; is this the config.json of a Llama model?", name,
         field);
  }
  return json[field].get<T>();
}

template <typename T>
T read_number_or(const Json& json, const std::string& field, const std::string& name, T fallback) {
  if (!json.contains(field) || json[field].is_null()) return fallback;
  return read_number<T>(json, field, name);
}

void refuse_unless(const Json& json, const std::string& field, const Json& supported,
                   const std::string& name) {
  if (!json.contains(field) || json[field].is_null()) return;
  if (json[field] != supported) refuse(name, field, json[field], supported.dump().c_str());
}

// One form for both spellings: {"rope_type", "rope_theta", and the parameters of the type}.
void read_rope(const Json& json, const std::string& name, LlamaConfig* config) {
  const bool newer = json.contains("rope_parameters") && !json["rope_parameters"].is_null();
  const std::string field = newer ? "rope_parameters" : "rope_scaling";
  config->rope_theta = read_number_or<double>(json, "rope_theta", name, config->rope_theta);
  if (!json.contains(field) || json[field].is_null()) return;
  const Json& rope = json[field];
  if (!rope.is_object()) refuse(name, field, rope, "an object");
  config->rope_theta = read_number_or<double>(rope, "rope_theta", name, config->rope_theta);
  refuse_unless(rope, "partial_rotary_factor", 1.0, name);
  const Json type =
      rope.contains("rope_type") ? rope["rope_type"] : rope.value("type", Json("default"));
  if (type == "default") return;
  if (type != "llama3") refuse(name, field + ".rope_type", type, "\"default\" and \"llama3\"");
  RopeScaling scaling;
  scaling.factor = read_number<double>(rope, "factor", name);
  scaling.low_freq_factor = read_number<double>(rope, "low_freq_factor", name);
  scaling.high_freq_factor = read_number<double>(rope, "high_freq_factor", name);
  scaling.original_max_position_embeddings =
      read_number<double>(rope, "original_max_position_embeddings", name);
  config->rope_scaling = scaling;
}

void read_eos(const Json& json, const std::string& name, LlamaConfig* config) {
  const Json eos = json.value("eos_token_id", Json(2));
  if (eos.is_number_integer()) {
    config->eos_token_ids = {eos.get<std::int64_t>()};
  } else if (eos.is_array() && !eos.empty() && eos[0].is_number_integer()) {
    config->eos_token_ids = eos.get<std::vector<std::int64_t>>();
  } else {
    fail(ErrorCategory::input_data, "{}: eos_token_id is {}, not a token id or a list of them",
         name, eos.dump());
  }
}

void refuse_what_is_not_computed(const Json& json, const std::string& name) {
  if (json.value("model_type", Json("llama")) != "llama") {
    refuse(name, "model_type", json["model_type"], "\"llama\"");
  }
  refuse_unless(json, "hidden_act", "silu", name);
  refuse_unless(json, "attention_bias", false, name);
  refuse_unless(json, "mlp_bias", false, name);
  refuse_unless(json, "rope_interleaved", false, name);
  refuse_unless(json, "partial_rotary_factor", 1.0, name);
  for (const char* field : {"sliding_window", "quantization_config"}) {
    if (json.contains(field) && !json[field].is_null()) {
      refuse(name, field, json[field], "models without it");
    }
  }
  for (const auto& [field, value] : json.items()) {
    if (!kHarmless.contains(field) && !kRead.contains(field)) {
      log_warning("{}: field {} is not known to this program and has no effect", name, field);
    }
  }
}

void check_shape(const LlamaConfig& c, const std::string& name) {
  for (const std::int64_t size : {c.vocab_size, c.hidden_size, c.intermediate_size, c.num_layers,
                                  c.num_heads, c.num_kv_heads, c.head_dim}) {
    if (size <= 0) fail(ErrorCategory::input_data, "{}: a size is {}, not positive", name, size);
  }
  if (c.num_heads % c.num_kv_heads != 0) {
    fail(ErrorCategory::input_data,
         "{}: num_attention_heads {} is not a multiple of num_key_value_heads {}", name,
         c.num_heads, c.num_kv_heads);
  }
  if (c.head_dim % 2 != 0) {
    fail(ErrorCategory::input_data, "{}: head_dim {} is odd; rotary embeddings need pairs", name,
         c.head_dim);
  }
}

}  // namespace

LlamaConfig parse_llama_config(const std::string& json_text, const std::string& name) {
  const Json json = Json::parse(json_text, nullptr, false);
  if (!json.is_object()) {
    fail(ErrorCategory::input_data, "{}: not a JSON object; is the file complete?", name);
  }
  refuse_what_is_not_computed(json, name);
  LlamaConfig config;
  config.vocab_size = read_number<std::int64_t>(json, "vocab_size", name);
  config.hidden_size = read_number<std::int64_t>(json, "hidden_size", name);
  config.intermediate_size = read_number<std::int64_t>(json, "intermediate_size", name);
  config.num_layers = read_number<std::int64_t>(json, "num_hidden_layers", name);
  config.num_heads = read_number<std::int64_t>(json, "num_attention_heads", name);
  config.num_kv_heads =
      read_number_or<std::int64_t>(json, "num_key_value_heads", name, config.num_heads);
  config.head_dim = read_number_or<std::int64_t>(
      json, "head_dim", name, config.num_heads > 0 ? config.hidden_size / config.num_heads : 0);
  config.max_position_embeddings =
      read_number_or<std::int64_t>(json, "max_position_embeddings", name, 2048);
  config.rms_norm_eps = read_number_or<double>(json, "rms_norm_eps", name, 1e-6);
  config.initializer_range = read_number_or<double>(json, "initializer_range", name, 0.02);
  config.tie_word_embeddings =
      json.contains("tie_word_embeddings") && json["tie_word_embeddings"] == true;
  read_rope(json, name, &config);
  read_eos(json, name, &config);
  check_shape(config, name);
  return config;
}

LlamaConfig read_llama_config(const std::filesystem::path& folder) {
  const auto path = folder / "config.json";
  std::ifstream file(path);
  if (!file) {
    fail(ErrorCategory::file_system,
         "{} cannot be read: a model's folder holds config.json and model.safetensors",
         path.string());
  }
  std::stringstream text;
  text << file.rdbuf();
  return parse_llama_config(text.str(), path.string());
}

}  // namespace tofu
