// classifier=bert: a word is general when a masked language model finds it again from its context,
// as in the published identify_common_words (fill-mask, top 1).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "comm/session.hpp"
#include "data/answer_masks.hpp"
#include "identify/partial_results.hpp"
#include "model/masked_lm.hpp"
#include "text/tokenizer.hpp"

namespace tofu {

// What the encoder sees of a text with one word masked.
struct MaskedText {
  std::vector<std::int64_t> ids;  // special tokens included, at most the limit
  std::int64_t position = 0;      // of the mask
};

// Error{input_data} unless the tokenizer has a mask token and belongs to the model; `path` is the
// folder of both, for messages.
void check_tokenizer(const Tokenizer& tokenizer, const MaskedLm& model, const std::string& path);

// `text` with `word` replaced by the mask token. Of a text longer than `max_tokens` the tokens
// around the mask are kept, as many as fit between the special ones.
MaskedText mask_word(const Tokenizer& tokenizer, const std::string& text, const WordSpan& word,
                     std::int64_t max_tokens);

// True if the predicted token's text, stripped and in lower case, is the word in lower case, and
// its probability reaches the threshold.
bool is_found_again(std::string_view word, std::string_view predicted, double probability,
                    double threshold);

// A record of a split that is masked: its question and answer with a space between.
std::string masked_lm_text(const Record& record);

struct MaskedWordJob {
  const MaskedLm& model;
  const Tokenizer& tokenizer;
  double threshold = 0;
  std::int64_t batch_size = 32;
  std::function<bool()> stop_requested;  // on any rank
};

// The general words of each record: those of the answer's space-separated words that are found
// again. Texts of the same length are computed together, in batches that do not depend on the
// number of ranks and are dealt out to them. `partial` (rank 0's; null elsewhere) takes the
// predictions as they come; those that are there are not computed again. Nothing if the job was
// asked to stop. Error{numerical} if the model gives no number. Collective over `world`.
std::optional<AnswerMasks> identify_masked_words(const MaskedWordJob& job,
                                                 const std::vector<Record>& records,
                                                 PartialResults* partial, const HostGroup& world);

}  // namespace tofu
