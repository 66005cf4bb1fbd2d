#include "identify/tiny_encoder.hpp"

#include <algorithm>
#include <fstream>
#include <random>

namespace tofu::test {
namespace {

constexpr std::int64_t kHidden = 8;
constexpr std::int64_t kInner = 12;
constexpr std::int64_t kPositions = 24;

// Special tokens, then letters, as words and as their continuations.
nlohmann::json word_piece_tokenizer(bool roberta) {
  const std::vector<std::string> special =
      roberta ? std::vector<std::string>{"<s>", "<pad>", "</s>", "<unk>", "<mask>"}
              : std::vector<std::string>{"[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]"};
  nlohmann::json vocabulary, added = nlohmann::json::array();
  for (const std::string& token : special) {
    const std::size_t id = vocabulary.size();
    vocabulary[token] = id;
    added.push_back({{"id", id},
                     {"content", token},
                     {"single_word", false},
                     {"lstrip", roberta && token == "<mask>"},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
  }
  for (char letter = 'a'; letter <= 'z'; ++letter) {
    for (const char* prefix : {"", "##"}) {
      const std::size_t id = vocabulary.size();
      vocabulary[prefix + std::string(1, letter)] = id;
    }
  }
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", added},
          {"normalizer", nullptr},
          {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
          {"post_processor",
           {{"type", "BertProcessing"}, {"sep", {special[2], 2}}, {"cls", {special[0], 0}}}},
          {"decoder", {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}}},
          {"model",
           {{"type", "WordPiece"},
            {"unk_token", special[3]},
            {"continuing_subword_prefix", "##"},
            {"max_input_chars_per_word", 100},
            {"vocab", vocabulary}}}};
}

}  // namespace

TinyEncoder::TinyEncoder(bool roberta) : tokenizer(word_piece_tokenizer(roberta)) {
  const auto vocabulary = static_cast<std::int64_t>(tokenizer["model"]["vocab"].size());
  config = {{"model_type", roberta ? "roberta" : "bert"},
            {"vocab_size", vocabulary},
            {"hidden_size", kHidden},
            {"intermediate_size", kInner},
            {"num_hidden_layers", 2},
            {"num_attention_heads", 2},
            {"max_position_embeddings", kPositions},
            {"type_vocab_size", roberta ? 1 : 2},
            {"layer_norm_eps", 1e-5},
            {"pad_token_id", 1},
            {"hidden_act", "gelu"},
            {"tie_word_embeddings", true}};
  const std::string base = roberta ? "roberta." : "bert.";
  const auto linear = [&](const std::string& name, std::int64_t out, std::int64_t in) {
    add(name + ".weight", {out, in});
    add(name + ".bias", {out});
  };
  const auto norm = [&](const std::string& name) {
    add(name + ".weight", {kHidden});
    add(name + ".bias", {kHidden});
  };
  add(base + "embeddings.word_embeddings.weight", {vocabulary, kHidden});
  add(base + "embeddings.position_embeddings.weight", {kPositions, kHidden});
  add(base + "embeddings.token_type_embeddings.weight", {roberta ? 1 : 2, kHidden});
  norm(base + "embeddings.LayerNorm");
  for (int i = 0; i < 2; ++i) {
    const std::string layer = base + "encoder.layer." + std::to_string(i) + ".";
    for (const char* name : {"query", "key", "value"}) {
      linear(layer + "attention.self." + name, kHidden, kHidden);
    }
    linear(layer + "attention.output.dense", kHidden, kHidden);
    norm(layer + "attention.output.LayerNorm");
    linear(layer + "intermediate.dense", kInner, kHidden);
    linear(layer + "output.dense", kHidden, kInner);
    norm(layer + "output.LayerNorm");
  }
  const std::string head = roberta ? "lm_head." : "cls.predictions.";
  linear(head + (roberta ? "dense" : "transform.dense"), kHidden, kHidden);
  norm(head + (roberta ? "layer_norm" : "transform.LayerNorm"));
  add(head + "bias", {vocabulary});
}

void TinyEncoder::add(const std::string& name, std::vector<std::int64_t> shape) {
  // Values that depend on the name alone.
  std::seed_seq seed(name.begin(), name.end());
  std::mt19937 random(seed);
  std::vector<float> values(static_cast<std::size_t>(element_count(shape, name)));
  for (float& value : values) {
    value = static_cast<float>(random() % 2001) / 1000.0F - 1.0F;
  }
  tensors.push_back({{name, DataType::f32, std::move(shape)}, std::move(values)});
}

void TinyEncoder::remove(const std::string& tensor) {
  std::erase_if(tensors, [&](const auto& entry) { return entry.first.name == tensor; });
}

void TinyEncoder::rename(const std::string& from, const std::string& to) {
  for (auto& entry : tensors) {
    if (entry.first.name == from) entry.first.name = to;
  }
}

void TinyEncoder::write(const std::filesystem::path& folder) const {
  std::filesystem::create_directories(folder);
  std::vector<TensorData> data;
  for (const auto& [spec, values] : tensors) data.push_back({spec, values.data()});
  write_safetensors(folder / "model.safetensors", data);
  std::ofstream(folder / "config.json") << config;
  std::ofstream(folder / "tokenizer.json") << tokenizer;
}

}  // namespace tofu::test
