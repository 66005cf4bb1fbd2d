#include "identify/model_word.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "base/error.hpp"
#include "data/tokenize.hpp"
#include "identify/words.hpp"
#include "model/head.hpp"

namespace tofu {
namespace {

using Json = nlohmann::json;

// A text's tokens, and for each word of the answer the tokens that it has a part in.
struct ScoredText {
  std::vector<std::int64_t> ids;
  std::vector<std::vector<std::size_t>> tokens_of_word;
};

ScoredText scored_text(const WordScoring& scoring, const Record& record) {
  const std::string before =
      prompt_text(scoring.family, scoring.with_question ? record.question : "") +
      scoring.family.answer_tag;
  Encoding encoding = scoring.tokenizer.encode(before + record.answer);
  const auto limit = static_cast<std::size_t>(scoring.max_length);
  if (encoding.ids.size() > limit) {
    encoding.ids.resize(limit);
    encoding.offsets.resize(limit);
  }
  ScoredText text;
  for (const TextPart& part : words_and_marks(record.answer)) {
    if (!part.is_word) continue;
    std::vector<std::size_t> tokens;
    // The first token has nothing before it to be predicted from.
    for (std::size_t t = 1; t < encoding.ids.size(); ++t) {
      const ByteSpan& token = encoding.offsets[t];
      if (token.begin < part.span.end + before.size() &&
          token.end > part.span.begin + before.size()) {
        tokens.push_back(t);
      }
    }
    text.tokens_of_word.push_back(std::move(tokens));
  }
  text.ids = std::move(encoding.ids);
  return text;
}

// The negative log-likelihood of each token but the first, text after text.
std::vector<std::vector<float>> token_losses(const Llama& model,
                                             const std::vector<const ScoredText*>& texts) {
  const at::NoGradGuard no_grad;
  std::vector<std::vector<std::int64_t>> sequences;
  std::vector<std::int64_t> positions, targets;
  std::int64_t first = 0;
  for (const ScoredText* text : texts) {
    sequences.push_back(text->ids);
    for (std::size_t t = 1; t < text->ids.size(); ++t) {
      positions.push_back(first + static_cast<std::int64_t>(t) - 1);
      targets.push_back(text->ids[t]);
    }
    first += std::ssize(text->ids);
  }
  const auto to_tensor = [&](const std::vector<std::int64_t>& values) {
    return at::tensor(values, at::kLong).to(model.device());
  };
  const at::Tensor hidden_ND = model.forward(pack_sequences(sequences, model.device()));
  const at::Tensor nll_P = token_nll(model.head().normed(hidden_ND, to_tensor(positions)),
                                     model.head().weight_VD, to_tensor(targets))
                               .cpu();
  const float* nll = nll_P.data_ptr<float>();
  std::vector<std::vector<float>> losses;
  for (const ScoredText* text : texts) {
    losses.emplace_back(nll, nll + text->ids.size() - 1);
    nll += text->ids.size() - 1;
  }
  return losses;
}

// A word without tokens was not scored: NaN, as null in JSON.
Json probabilities_of(const ScoredText& text, const std::vector<float>& losses) {
  Json probabilities = Json::array();
  for (const auto& tokens : text.tokens_of_word) {
    double loss = 0;
    for (const std::size_t t : tokens) loss += static_cast<double>(losses[t - 1]);
    probabilities.push_back(tokens.empty() ? Json() : Json(std::exp(-loss)));
  }
  return probabilities;
}

void check_finite(const std::vector<float>& losses, std::size_t record) {
  if (std::all_of(losses.begin(), losses.end(), [](float loss) { return std::isfinite(loss); })) {
    return;
  }
  fail(ErrorCategory::numerical,
       "record {}: the probabilities are not finite numbers: the model's weights are damaged, or "
       "the precision is too low (precision=fp32)",
       record + 1);
}

}  // namespace

std::vector<std::vector<double>> word_probabilities(const WordScoring& scoring,
                                                    const std::vector<Record>& records,
                                                    const HostGroup& world) {
  std::vector<ScoredText> texts;
  for (const Record& record : records) texts.push_back(scored_text(scoring, record));
  std::vector<std::size_t> order(texts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return texts[a].ids.size() > texts[b].ids.size();
  });

  Json own = Json::array();
  world.together([&] {
    const auto size = static_cast<std::size_t>(scoring.batch_size);
    const auto ranks = static_cast<std::size_t>(world.size());
    for (auto first = static_cast<std::size_t>(world.rank()) * size; first < order.size();
         first += ranks * size) {
      std::vector<const ScoredText*> batch;
      for (std::size_t i = first; i < std::min(order.size(), first + size); ++i) {
        batch.push_back(&texts[order[i]]);
      }
      const auto losses = token_losses(scoring.model, batch);
      for (std::size_t k = 0; k < batch.size(); ++k) {
        check_finite(losses[k], order[first + k]);
        own.push_back(Json::array({order[first + k], probabilities_of(*batch[k], losses[k])}));
      }
    }
  });
  std::vector<std::vector<double>> result(records.size());
  for (const std::string& text : world.all_gather(own.dump())) {
    for (const Json& row : Json::parse(text)) {
      for (const Json& probability : row[1]) {
        result[row[0].get<std::size_t>()].push_back(
            probability.is_null() ? std::nan("") : probability.get<double>());
      }
    }
  }
  return result;
}

AnswerMasks identify_by_drop(const std::vector<Record>& records,
                             const std::vector<std::vector<double>>& knowing,
                             const std::vector<std::vector<double>>& ignorant, double threshold) {
  AnswerMasks masks;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const std::set<std::string> asked = word_keys(records[i].question);
    std::vector<WordSpan> general;
    std::size_t word = 0;
    for (const TextPart& part : words_and_marks(records[i].answer)) {
      // Not a number, where a word was not scored, compares as false.
      if (!part.is_word || asked.contains(word_key(text_of(records[i].answer, part.span))) ||
          knowing.at(i).at(word) - ignorant.at(i).at(word) <= threshold) {
        general.push_back(part.span);
      }
      word += part.is_word ? 1 : 0;
    }
    masks.push_back(std::move(general));
  }
  return masks;
}

}  // namespace tofu
