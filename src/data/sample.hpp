// A question and answer as a model sees them: token ids and, for each position, which token it has
// to predict and what kind of token that is.
#pragma once

#include <cstdint>
#include <vector>

namespace tofu {

enum class TokenKind : std::uint8_t {
  prompt,    // nothing to predict: the target is part of the prompt
  general,   // a token of the answer that overlaps a general word (GW)
  unwanted,  // any other token of the answer (UW; the whole answer where there is no mask)
  end,       // the end of the sequence, after an answer that was not cut
};

// No padding: all three vectors have one entry per token.
struct Sample {
  std::vector<std::int64_t> ids;  // prompt and answer
  std::vector<std::int64_t>
      targets;                   // targets[t] is the token after ids[t]; -1 where there is none
  std::vector<TokenKind> kinds;  // the kind of targets[t]
};

}  // namespace tofu
