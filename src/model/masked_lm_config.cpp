#include "model/masked_lm_config.hpp"

#include <nlohmann/json.hpp>
#include <set>

#include "base/error.hpp"
#include "base/log.hpp"
#include "store/posix_file.hpp"

namespace tofu {
namespace {

using Json = nlohmann::json;

// Fields that are read, and those that say how a model was made, stored or served and never change
// its numbers here.
const std::set<std::string> kKnown = {"model_type",
                                      "vocab_size",
                                      "hidden_size",
                                      "intermediate_size",
                                      "num_hidden_layers",
                                      "num_attention_heads",
                                      "max_position_embeddings",
                                      "type_vocab_size",
                                      "layer_norm_eps",
                                      "pad_token_id",
                                      "tie_word_embeddings",
                                      "hidden_act",
                                      "position_embedding_type",
                                      "is_decoder",
                                      "add_cross_attention",
                                      "quantization_config",
                                      "embedding_size",
                                      "architectures",
                                      "_name_or_path",
                                      "_attn_implementation_autoset",
                                      "attention_probs_dropout_prob",
                                      "hidden_dropout_prob",
                                      "classifier_dropout",
                                      "bos_token_id",
                                      "eos_token_id",
                                      "dtype",
                                      "torch_dtype",
                                      "gradient_checkpointing",
                                      "initializer_range",
                                      "transformers_version",
                                      "use_cache",
                                      "directionality",
                                      "pooler_fc_size",
                                      "pooler_num_attention_heads",
                                      "pooler_num_fc_layers",
                                      "pooler_size_per_head",
                                      "pooler_type",
                                      "output_past",
                                      "output_attentions",
                                      "output_hidden_states",
                                      "id2label",
                                      "label2id",
                                      "tokenizer_class",
                                      "chunk_size_feed_forward"};

[[noreturn]] void refuse(const std::string& name, const std::string& field, const Json& value,
                         const char* supported) {
  fail(ErrorCategory::input_data,
       "{}: {} is {}, which this program does not compute (it knows {}); use another model", name,
       field, value.dump(), supported);
}

void refuse_unless(const Json& json, const std::string& field, const Json& supported,
                   const std::string& name) {
  if (!json.contains(field) || json[field].is_null()) return;
  if (json[field] != supported) refuse(name, field, json[field], supported.dump().c_str());
}

std::int64_t read_size(const Json& json, const std::string& field, const std::string& name) {
  if (!json.contains(field) || !json[field].is_number_integer()) {
    fail(ErrorCategory::input_data,
         "{}: {} is missing or not an integer; is this the config.json of a RoBERTa or BERT model?",
         name, field);
  }
  const auto size = json[field].get<std::int64_t>();
  if (size <= 0 || size > (std::int64_t{1} << 31)) {
    fail(ErrorCategory::input_data, "{}: {} is {}, which cannot be", name, field, size);
  }
  return size;
}

MaskedLmKind read_kind(const Json& json, const std::string& name) {
  const Json type = json.value("model_type", Json());
  if (type == "roberta") return MaskedLmKind::roberta;
  if (type == "bert") return MaskedLmKind::bert;
  refuse(name, "model_type", type, "\"roberta\" and \"bert\"");
}

void refuse_what_is_not_computed(const Json& json, const std::string& name) {
  refuse_unless(json, "hidden_act", "gelu", name);
  refuse_unless(json, "position_embedding_type", "absolute", name);
  refuse_unless(json, "is_decoder", false, name);
  refuse_unless(json, "add_cross_attention", false, name);
  refuse_unless(json, "embedding_size", json.value("hidden_size", Json()), name);
  if (json.contains("quantization_config") && !json["quantization_config"].is_null()) {
    refuse(name, "quantization_config", json["quantization_config"], "models without it");
  }
  for (const auto& [field, value] : json.items()) {
    if (!kKnown.contains(field)) {
      log_warning("{}: field {} is not known to this program and has no effect", name, field);
    }
  }
}

}  // namespace

MaskedLmConfig parse_masked_lm_config(const std::string& json_text, const std::string& name) {
  const Json json = Json::parse(json_text, nullptr, false);
  if (!json.is_object()) {
    fail(ErrorCategory::input_data, "{}: not a JSON object; is the file complete?", name);
  }
  MaskedLmConfig config;
  config.kind = read_kind(json, name);
  refuse_what_is_not_computed(json, name);
  config.vocab_size = read_size(json, "vocab_size", name);
  config.hidden_size = read_size(json, "hidden_size", name);
  config.intermediate_size = read_size(json, "intermediate_size", name);
  config.num_layers = read_size(json, "num_hidden_layers", name);
  config.num_heads = read_size(json, "num_attention_heads", name);
  config.max_position_embeddings = read_size(json, "max_position_embeddings", name);
  // What Transformers takes where a field is left out.
  const bool roberta = config.kind == MaskedLmKind::roberta;
  config.type_vocab_size =
      json.contains("type_vocab_size") ? read_size(json, "type_vocab_size", name) : 2;
  if (json.contains("layer_norm_eps")) {
    if (!json["layer_norm_eps"].is_number() || !(json["layer_norm_eps"].get<double>() > 0)) {
      refuse(name, "layer_norm_eps", json["layer_norm_eps"], "positive numbers");
    }
    config.layer_norm_eps = json["layer_norm_eps"].get<double>();
  }
  if (roberta) {
    const Json padding = json.value("pad_token_id", Json(1));
    if (!padding.is_number_integer() || padding.get<std::int64_t>() < 0 ||
        padding.get<std::int64_t>() >= config.vocab_size) {
      refuse(name, "pad_token_id", padding, "a token id");
    }
    config.first_position = padding.get<std::int64_t>() + 1;
  }
  config.tie_word_embeddings = json.value("tie_word_embeddings", Json(true)) != Json(false);
  if (config.hidden_size % config.num_heads != 0) {
    fail(ErrorCategory::input_data,
         "{}: hidden_size {} is not a multiple of num_attention_heads {}", name, config.hidden_size,
         config.num_heads);
  }
  // Room for one token and the special ones around it.
  if (config.max_tokens() < 3) {
    fail(ErrorCategory::input_data, "{}: max_position_embeddings {} leaves no room for a text",
         name, config.max_position_embeddings);
  }
  return config;
}

MaskedLmConfig read_masked_lm_config(const std::filesystem::path& folder) {
  const auto path = folder / "config.json";
  if (!std::filesystem::exists(path)) {
    fail(ErrorCategory::file_system,
         "{} is missing: the folder of a masked language model holds config.json, "
         "model.safetensors and the tokenizer's files",
         path.string());
  }
  return parse_masked_lm_config(read_file(path), path.string());
}

}  // namespace tofu
