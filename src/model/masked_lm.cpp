#include "model/masked_lm.hpp"

#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "store/checksum.hpp"
#include "store/hf_weights.hpp"

namespace tofu {
namespace {

at::ScalarType scalar_type(DataType type) {
  if (type == DataType::f16) return at::kHalf;
  return type == DataType::bf16 ? at::kBFloat16 : at::kFloat;
}

// Tensors of a checkpoint that a masked language model does not compute with.
bool is_unused(const std::string& name) {
  return name.ends_with("position_ids") || name.find(".pooler.") != std::string::npos ||
         name.starts_with("cls.seq_relationship.");
}

}  // namespace

// Reads tensors by name, and keeps track of which were read.
class MaskedLm::Loader {
 public:
  Loader(const std::filesystem::path& folder, const MaskedLmConfig& config, at::Device device)
      : weights_(HfWeights::open(folder)), config_(config), device_(device) {}

  bool has(const std::string& name) const { return weights_.find(name) != nullptr; }

  at::Tensor tensor(const std::string& name, const std::vector<std::int64_t>& shape) {
    const TensorInfo& info = weights_.at(name);
    if (info.shape != shape) {
      fail(ErrorCategory::input_data, "{}: {} has the shape {}, but config.json asks for {}",
           weights_.folder().string(), name, shape_text(info.shape), shape_text(shape));
    }
    if (info.type != DataType::f32 && info.type != DataType::f16 && info.type != DataType::bf16) {
      fail(ErrorCategory::input_data,
           "{}: {} is stored as {}; convert the model to F32, F16 or BF16 first",
           weights_.folder().string(), name, info.dtype);
    }
    at::Tensor stored = at::empty(shape, scalar_type(*info.type));
    weights_.read(name, 0, info.count, stored.data_ptr());
    const at::Tensor values = stored.to(at::kFloat);
    digest_ += mix64(checksum_part(name.data(), 1, 0, std::ssize(name))) *
               checksum_part(values.data_ptr(), sizeof(float), 0, info.count);
    read_.insert(name);
    return values.to(device_);
  }

  Linear linear(const std::string& name, std::int64_t outputs, std::int64_t inputs) {
    return {tensor(name + ".weight", {outputs, inputs}), tensor(name + ".bias", {outputs})};
  }

  // Older checkpoints of BERT call weight and bias gamma and beta.
  LayerNorm layer_norm(const std::string& name) {
    const bool older = has(name + ".gamma");
    return {tensor(name + (older ? ".gamma" : ".weight"), {config_.hidden_size}),
            tensor(name + (older ? ".beta" : ".bias"), {config_.hidden_size}),
            config_.layer_norm_eps};
  }

  Layer layer(const std::string& name) {
    const std::int64_t hidden = config_.hidden_size;
    const std::string attention = name + ".attention.";
    return {linear(attention + "self.query", hidden, hidden),
            linear(attention + "self.key", hidden, hidden),
            linear(attention + "self.value", hidden, hidden),
            linear(attention + "output.dense", hidden, hidden),
            layer_norm(attention + "output.LayerNorm"),
            linear(name + ".intermediate.dense", config_.intermediate_size, hidden),
            linear(name + ".output.dense", hidden, config_.intermediate_size),
            layer_norm(name + ".output.LayerNorm")};
  }

  // A weight that is there and not used would make another model of it. `tied`: copies of what was
  // read under another name.
  void refuse_unknown_tensors(const std::set<std::string>& tied) const {
    for (const std::string& name : weights_.names()) {
      if (read_.contains(name) || tied.contains(name) || is_unused(name)) continue;
      fail(ErrorCategory::input_data,
           "{}: tensor {} has no place in the masked language model that config.json describes; "
           "it is of another architecture, which this program does not compute",
           weights_.folder().string(), name);
    }
  }

  std::string digest() const { return fmt::format("{:016x}", digest_); }

 private:
  HfWeights weights_;
  const MaskedLmConfig& config_;
  at::Device device_;
  std::set<std::string> read_;
  std::uint64_t digest_ = 0;
};

MaskedLm MaskedLm::load(const std::filesystem::path& folder, at::Device device) {
  MaskedLm model;
  model.config_ = read_masked_lm_config(folder);
  const MaskedLmConfig& config = model.config_;
  const bool roberta = config.kind == MaskedLmKind::roberta;
  const std::string base = roberta ? "roberta." : "bert.";
  const std::string head = roberta ? "lm_head." : "cls.predictions.";
  const std::string bias = head + "bias";
  const std::string decoder = head + "decoder.weight";
  Loader loader(folder, config, device);
  if (!loader.has(bias)) {
    fail(ErrorCategory::input_data,
         "{}: the model has no LM head (no tensor {}), so it cannot fill in a masked word; take "
         "one that was saved as {}",
         folder.string(), bias, roberta ? "RobertaForMaskedLM" : "BertForMaskedLM");
  }
  const std::string embeddings = base + "embeddings.";
  model.word_embeddings_VD_ =
      loader.tensor(embeddings + "word_embeddings.weight", {config.vocab_size, config.hidden_size});
  model.position_embeddings_ = loader.tensor(embeddings + "position_embeddings.weight",
                                             {config.max_position_embeddings, config.hidden_size});
  model.token_type_D_ = loader
                            .tensor(embeddings + "token_type_embeddings.weight",
                                    {config.type_vocab_size, config.hidden_size})
                            .select(0, 0);
  model.embedding_norm_ = loader.layer_norm(embeddings + "LayerNorm");
  for (std::int64_t i = 0; i < config.num_layers; ++i) {
    model.layers_.push_back(loader.layer(fmt::format("{}encoder.layer.{}", base, i)));
  }
  const std::string transform = roberta ? head : head + "transform.";
  model.head_dense_ = loader.linear(transform + "dense", config.hidden_size, config.hidden_size);
  model.head_norm_ = loader.layer_norm(transform + (roberta ? "layer_norm" : "LayerNorm"));
  model.decoder_.bias = loader.tensor(bias, {config.vocab_size});
  model.decoder_.weight = config.tie_word_embeddings
                              ? model.word_embeddings_VD_
                              : loader.tensor(decoder, {config.vocab_size, config.hidden_size});
  loader.refuse_unknown_tensors({decoder, head + "decoder.bias"});
  model.digest_ = loader.digest();
  return model;
}

at::Tensor MaskedLm::embed(const at::Tensor& ids_BT) const {
  const at::Tensor positions_TD =
      position_embeddings_.narrow(0, config_.first_position, ids_BT.size(1));
  return embedding_norm_(at::embedding(word_embeddings_VD_, ids_BT) + token_type_D_ + positions_TD);
}

// Each head: softmax(Q K^T / sqrt(d)) V over all tokens of the text.
at::Tensor MaskedLm::attention(const Layer& layer, const at::Tensor& hidden_BTD) const {
  const std::int64_t texts = hidden_BTD.size(0);
  const std::int64_t tokens = hidden_BTD.size(1);
  const auto by_head = [&](const at::Tensor& projected_BTD) {
    return projected_BTD
        .view({texts, tokens, config_.num_heads, config_.hidden_size / config_.num_heads})
        .transpose(1, 2);
  };
  const at::Tensor mixed = at::scaled_dot_product_attention(by_head(layer.query(hidden_BTD)),
                                                            by_head(layer.key(hidden_BTD)),
                                                            by_head(layer.value(hidden_BTD)));
  return layer.attention_output(
      mixed.transpose(1, 2).reshape({texts, tokens, config_.hidden_size}));
}

at::Tensor MaskedLm::logits(const at::Tensor& hidden_BD) const {
  return decoder_(head_norm_(at::gelu(head_dense_(hidden_BD))));
}

std::vector<TopPrediction> MaskedLm::predict(const std::vector<std::vector<std::int64_t>>& ids_BT,
                                             const std::vector<std::int64_t>& positions_B) const {
  const at::NoGradGuard no_grad;
  const std::int64_t texts = std::ssize(ids_BT);
  const std::int64_t tokens = std::ssize(ids_BT.at(0));
  at::Tensor ids = at::empty({texts, tokens}, at::kLong);
  for (std::int64_t b = 0; b < texts; ++b) {
    const auto& row = ids_BT[static_cast<std::size_t>(b)];
    if (std::ssize(row) != tokens || tokens > config_.max_tokens()) {
      throw std::invalid_argument("texts of different lengths, or longer than the encoder's limit");
    }
    std::copy(row.begin(), row.end(), ids.data_ptr<std::int64_t>() + b * tokens);
  }
  const at::Device device = word_embeddings_VD_.device();
  at::Tensor hidden_BTD = embed(ids.to(device));
  for (const Layer& layer : layers_) {
    hidden_BTD = layer.attention_norm(hidden_BTD + attention(layer, hidden_BTD));
    hidden_BTD =
        layer.output_norm(hidden_BTD + layer.output(at::gelu(layer.intermediate(hidden_BTD))));
  }
  const at::Tensor masked_BD = hidden_BTD.index(
      {at::arange(texts, ids.options()).to(device), at::tensor(positions_B, at::kLong).to(device)});
  const auto [probability_B, token_B] = at::softmax(logits(masked_BD), -1).max(-1);
  const at::Tensor probabilities = probability_B.cpu();
  const at::Tensor top_tokens = token_B.cpu();
  std::vector<TopPrediction> predictions;
  for (std::int64_t b = 0; b < texts; ++b) {
    predictions.push_back({top_tokens.data_ptr<std::int64_t>()[b],
                           static_cast<double>(probabilities.data_ptr<float>()[b])});
  }
  return predictions;
}

}  // namespace tofu
