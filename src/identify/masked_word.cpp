#include "identify/masked_word.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/log.hpp"
#include "identify/words.hpp"

namespace tofu {
namespace {

using Json = nlohmann::json;

// Batches that a rank computes between two gatherings: what a killed job has to do again.
constexpr std::size_t kBatchesPerRound = 8;

// One word of one answer.
struct Item {
  std::size_t record;
  WordSpan word;  // in the answer
};

std::vector<Item> list_items(const std::vector<Record>& records) {
  std::vector<Item> items;
  for (std::size_t i = 0; i < records.size(); ++i) {
    for (const WordSpan& word : space_separated_words(records[i].answer)) {
      items.push_back({i, word});
    }
  }
  return items;
}

class MaskedWordIdentifier {
 public:
  using Batch = std::vector<std::size_t>;  // item numbers

  MaskedWordIdentifier(const MaskedWordJob& job, const std::vector<Record>& records,
                       PartialResults* partial, const HostGroup& world)
      : job_(job),
        records_(records),
        partial_(partial),
        world_(world),
        items_(list_items(records)) {}

  std::optional<AnswerMasks> run() {
    load_earlier_results();
    std::vector<Batch> pending;
    for (Batch& batch : make_batches()) {
      const bool known = std::all_of(batch.begin(), batch.end(),
                                     [&](std::size_t i) { return predictions_.contains(i); });
      if (!known) pending.push_back(std::move(batch));
    }
    log_info("{} words of {} answers, {} batches to compute", items_.size(), records_.size(),
             pending.size());
    const auto ranks = static_cast<std::size_t>(world_.size());
    const std::size_t round = ranks * kBatchesPerRound;
    for (std::size_t first = 0; first < pending.size(); first += round) {
      if (world_.max(job_.stop_requested() ? 1 : 0) > 0) return std::nullopt;
      const std::size_t last = std::min(pending.size(), first + round);
      std::map<std::size_t, TopPrediction> own;
      world_.together([&] {
        for (auto b = first + static_cast<std::size_t>(world_.rank()); b < last; b += ranks) {
          predict(pending[b], &own);
        }
      });
      gather(own);
      log_info("batch {} of {}", last, pending.size());
    }
    return masks();
  }

 private:
  MaskedText masked(std::size_t item) const {
    const Record& record = records_[items_[item].record];
    const std::size_t shift = record.question.size() + 1;
    const WordSpan word = items_[item].word;
    return mask_word(job_.tokenizer, masked_lm_text(record), {word.begin + shift, word.end + shift},
                     job_.model.config().max_tokens());
  }

  // Items of one length are together, in batches of batch_size. Tokenising is shared out.
  std::vector<Batch> make_batches() const {
    std::string own;  // one decimal number a line
    world_.together([&] {
      for (auto i = static_cast<std::size_t>(world_.rank()); i < items_.size();
           i += static_cast<std::size_t>(world_.size())) {
        own += fmt::format("{}\n", masked(i).ids.size());
      }
    });
    std::map<std::size_t, Batch> by_length;
    const auto lengths = world_.all_gather(own);
    std::vector<std::size_t> read(lengths.size(), 0);  // bytes of each rank's text
    for (std::size_t i = 0; i < items_.size(); ++i) {
      const std::size_t rank = i % lengths.size();
      const std::size_t end = lengths[rank].find('\n', read[rank]);
      by_length[std::stoul(lengths[rank].substr(read[rank], end - read[rank]))].push_back(i);
      read[rank] = end + 1;
    }
    std::vector<Batch> batches;
    for (auto group = by_length.rbegin(); group != by_length.rend(); ++group) {
      const Batch& all = group->second;
      const auto size = static_cast<std::size_t>(job_.batch_size);
      for (std::size_t first = 0; first < all.size(); first += size) {
        const std::size_t last = std::min(all.size(), first + size);
        batches.emplace_back(all.begin() + static_cast<std::ptrdiff_t>(first),
                             all.begin() + static_cast<std::ptrdiff_t>(last));
      }
    }
    return batches;
  }

  void predict(const Batch& batch, std::map<std::size_t, TopPrediction>* results) const {
    std::vector<std::vector<std::int64_t>> ids;
    std::vector<std::int64_t> positions;
    for (const std::size_t item : batch) {
      MaskedText text = masked(item);
      ids.push_back(std::move(text.ids));
      positions.push_back(text.position);
    }
    const auto predictions = job_.model.predict(ids, positions);
    for (std::size_t k = 0; k < batch.size(); ++k) {
      if (!std::isfinite(predictions[k].probability)) {
        fail(
            ErrorCategory::numerical,
            "record {}: the masked language model gives no probabilities; are its weights damaged?",
            items_[batch[k]].record + 1);
      }
      (*results)[batch[k]] = predictions[k];
    }
  }

  // Every rank gets all results; rank 0 keeps them on the disk.
  void gather(const std::map<std::size_t, TopPrediction>& own) {
    Json rows = Json::array();
    for (const auto& [item, prediction] : own) {
      rows.push_back({item, prediction.token, prediction.probability});
    }
    std::map<std::string, std::string> kept;
    for (const std::string& text : world_.all_gather(rows.dump())) {
      for (const Json& row : Json::parse(text)) {
        predictions_[row[0].get<std::size_t>()] = {row[1].get<std::int64_t>(),
                                                   row[2].get<double>()};
        kept[row[0].dump()] = Json{row[1], row[2]}.dump();
      }
    }
    world_.on_root([&] { partial_->add(kept); });
  }

  void load_earlier_results() {
    Json rows = Json::array();
    world_.on_root([&] {
      for (const auto& [item, result] : partial_->results()) {
        const Json number = Json::parse(item, nullptr, false);
        const Json values = Json::parse(result, nullptr, false);
        if (!number.is_number_unsigned() || number.get<std::size_t>() >= items_.size() ||
            !values.is_array() || values.size() != 2 || !values[0].is_number_integer() ||
            !values[1].is_number()) {
          fail(ErrorCategory::input_data, "{}: item {} is damaged; remove the file to start anew",
               partial_->path().string(), item);
        }
        rows.push_back({number, values[0], values[1]});
      }
    });
    for (const Json& row : Json::parse(world_.broadcast_from_root(rows.dump()))) {
      predictions_[row[0].get<std::size_t>()] = {row[1].get<std::int64_t>(), row[2].get<double>()};
    }
    if (!predictions_.empty()) {
      log_info("going on: {} of {} words are known from before", predictions_.size(),
               items_.size());
    }
  }

  AnswerMasks masks() const {
    AnswerMasks masks(records_.size());
    for (std::size_t i = 0; i < items_.size(); ++i) {
      const auto& [token, probability] = predictions_.at(i);
      const std::vector<std::int64_t> ids = {token};
      const std::string predicted = job_.tokenizer.decode(ids, false);
      const Item& item = items_[i];
      if (is_found_again(text_of(records_[item.record].answer, item.word), predicted, probability,
                         job_.threshold)) {
        masks[item.record].push_back(item.word);
      }
    }
    return masks;
  }

  const MaskedWordJob& job_;
  const std::vector<Record>& records_;
  PartialResults* partial_;
  const HostGroup& world_;
  std::vector<Item> items_;
  std::map<std::size_t, TopPrediction> predictions_;  // by item
};

// The tokens [0, head) and [tail, size) are special ones around the text.
struct Frame {
  std::size_t head = 0;
  std::size_t tail = 0;
};

Frame frame_of(const Encoding& encoding) {
  const auto special = [&](std::size_t i) { return encoding.offsets[i] == ByteSpan{}; };
  Frame frame{0, encoding.ids.size()};
  while (frame.head < frame.tail && special(frame.head)) ++frame.head;
  while (frame.tail > frame.head && special(frame.tail - 1)) --frame.tail;
  return frame;
}

}  // namespace

void check_tokenizer(const Tokenizer& tokenizer, const MaskedLm& model, const std::string& path) {
  if (!tokenizer.mask_id()) {
    fail(ErrorCategory::input_data,
         "{}: the tokenizer has no mask token: it is not that of a masked language model", path);
  }
  if (tokenizer.vocab_size() > model.config().vocab_size) {
    fail(ErrorCategory::input_data,
         "{}: the tokenizer has {} tokens, but the model only {}: they do not belong together",
         path, tokenizer.vocab_size(), model.config().vocab_size);
  }
}

MaskedText mask_word(const Tokenizer& tokenizer, const std::string& text, const WordSpan& word,
                     std::int64_t max_tokens) {
  const std::string mask = tokenizer.id_to_token(*tokenizer.mask_id());
  const std::string masked = text.substr(0, word.begin) + mask + text.substr(word.end);
  const Encoding encoding = tokenizer.encode(masked);
  // The text may hold the mask's own spelling elsewhere. The token may stand for a space before it.
  std::size_t at = 0;
  while (at < encoding.ids.size() && (encoding.ids[at] != *tokenizer.mask_id() ||
                                      encoding.offsets[at].end != word.begin + mask.size())) {
    ++at;
  }
  if (at == encoding.ids.size()) {
    fail(ErrorCategory::input_data,
         "the tokenizer of identifier_path does not keep its mask token whole in \"{}\"", masked);
  }
  const auto limit = static_cast<std::size_t>(max_tokens);
  if (encoding.ids.size() <= limit) return {encoding.ids, static_cast<std::int64_t>(at)};

  const Frame frame = frame_of(encoding);
  const std::size_t special = encoding.ids.size() - (frame.tail - frame.head);
  if (special >= limit) {
    fail(ErrorCategory::input_data,
         "the encoder takes {} tokens, which leaves no room beside the special ones", max_tokens);
  }
  const std::size_t room = limit - special;
  // The mask in the middle, or as near to it as the text's ends allow.
  const std::size_t earliest = at > room / 2 ? at - room / 2 : 0;
  const std::size_t first = std::clamp(earliest, frame.head, frame.tail - room);
  MaskedText result;
  const auto append = [&](std::size_t begin, std::size_t end) {
    result.ids.insert(result.ids.end(), encoding.ids.begin() + static_cast<std::ptrdiff_t>(begin),
                      encoding.ids.begin() + static_cast<std::ptrdiff_t>(end));
  };
  append(0, frame.head);
  append(first, first + room);
  append(frame.tail, encoding.ids.size());
  result.position = static_cast<std::int64_t>(frame.head + (at - first));
  return result;
}

bool is_found_again(std::string_view word, std::string_view predicted, double probability,
                    double threshold) {
  return probability >= threshold && lower_case(strip(predicted)) == lower_case(word);
}

std::string masked_lm_text(const Record& record) {
  return record.question + " " + record.answer;
}

std::optional<AnswerMasks> identify_masked_words(const MaskedWordJob& job,
                                                 const std::vector<Record>& records,
                                                 PartialResults* partial, const HostGroup& world) {
  return MaskedWordIdentifier(job, records, partial, world).run();
}

}  // namespace tofu
