#include "text/pre_tokenizer.hpp"

#include <utility>

#include "text/byte_level.hpp"
#include "text/normalizer.hpp"
#include "text/pattern.hpp"
#include "text/unicode.hpp"

namespace tofu {

namespace {

// What becomes of the text that a split's pattern matches.
enum class Behavior { removed, isolated, contiguous, merged_with_previous, merged_with_next };

struct Part {
  ByteSpan span;
  bool matched = false;
};

// All of the text, as matches and what is between them.
std::vector<Part> cover(std::size_t size, const std::vector<ByteSpan>& matches, bool invert) {
  std::vector<Part> parts;
  std::size_t position = 0;
  for (const auto& match : matches) {
    if (position < match.begin) parts.push_back({{position, match.begin}, invert});
    parts.push_back({match, !invert});
    position = match.end;
  }
  if (position < size) parts.push_back({{position, size}, invert});
  return parts;
}

// Whether `next` joins the part before it.
bool joins(Behavior behavior, const Part& previous, const Part& next) {
  switch (behavior) {
    case Behavior::contiguous:
      return previous.matched == next.matched;
    case Behavior::merged_with_previous:
      return next.matched && !previous.matched;
    case Behavior::merged_with_next:
      return previous.matched && !next.matched;
    default:
      return false;
  }
}

void append_split(std::vector<AlignedText>& pieces, const AlignedText& piece,
                  const std::vector<Part>& parts, Behavior behavior) {
  for (std::size_t i = 0; i < parts.size();) {
    ByteSpan span = parts[i].span;
    const bool removed = behavior == Behavior::removed && parts[i].matched;
    std::size_t next = i + 1;
    for (; next < parts.size() && joins(behavior, parts[next - 1], parts[next]); ++next) {
      span.end = parts[next].span.end;
    }
    if (!removed && span.begin < span.end) pieces.push_back(piece.slice(span.begin, span.end));
    i = next;
  }
}

// Splits where `find` matches: find(text) gives the matches in order.
template <typename Find>
PreTokenizer split_by(Find find, Behavior behavior, bool invert = false) {
  return [find, behavior, invert](const std::vector<AlignedText>& pieces) {
    std::vector<AlignedText> output;
    for (const auto& piece : pieces) {
      append_split(output, piece, cover(piece.text().size(), find(piece.text()), invert), behavior);
    }
    return output;
  };
}

PreTokenizer split_by_pattern(Pattern pattern, Behavior behavior, bool invert = false) {
  return split_by([pattern](std::string_view text) { return pattern.find_all(text); }, behavior,
                  invert);
}

template <typename Predicate>
PreTokenizer split_by_character(Predicate predicate, Behavior behavior) {
  return split_by(
      [predicate](std::string_view text) {
        std::vector<ByteSpan> matches;
        for (std::size_t begin = 0; begin < text.size();) {
          std::size_t end = begin;
          if (predicate(next_code_point(text, end))) matches.push_back({begin, end});
          begin = end;
        }
        return matches;
      },
      behavior);
}

PreTokenizer in_order(std::vector<PreTokenizer> steps) {
  return [steps = std::move(steps)](std::vector<AlignedText> pieces) {
    for (const auto& step : steps) pieces = step(std::move(pieces));
    return pieces;
  };
}

Behavior parse_behavior(const JsonField& field) {
  const std::string name = field.string();
  const std::pair<std::string_view, Behavior> known[] = {
      {"Removed", Behavior::removed},
      {"Isolated", Behavior::isolated},
      {"Contiguous", Behavior::contiguous},
      {"MergedWithPrevious", Behavior::merged_with_previous},
      {"MergedWithNext", Behavior::merged_with_next}};
  for (const auto& [spelling, behavior] : known) {
    if (name == spelling) return behavior;
  }
  field.reject("the split behavior '" + name + "' is not implemented");
}

AlignedText spell_bytes(const AlignedText& piece) {
  const auto& characters = byte_level_characters();
  AlignedText spelled;
  for (std::size_t i = 0; i < piece.text().size(); ++i) {
    spelled.append(characters[static_cast<unsigned char>(piece.text()[i])],
                   piece.input_span(i, i + 1));
  }
  return spelled;
}

PreTokenizer parse_byte_level(const JsonField& field) {
  field.allow_only({"type", "add_prefix_space", "trim_offsets", "use_regex"});
  std::vector<PreTokenizer> steps;
  if (field.boolean_or("add_prefix_space", true)) {
    steps.push_back([](std::vector<AlignedText> pieces) {
      for (auto& piece : pieces) {
        if (!piece.text().starts_with(' ')) piece.prepend(" ");
      }
      return pieces;
    });
  }
  if (field.boolean_or("use_regex", true)) {
    steps.push_back(split_by_pattern(
        Pattern::regex(
            R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)", field),
        Behavior::isolated));
  }
  steps.push_back([](std::vector<AlignedText> pieces) {
    for (auto& piece : pieces) piece = spell_bytes(piece);
    return pieces;
  });
  return in_order(std::move(steps));
}

PreTokenizer parse_metaspace(const JsonField& field) {
  field.allow_only(
      {"type", "replacement", "prepend_scheme", "split", "add_prefix_space", "str_rep"});
  const std::string replacement = field.required_string("replacement");
  std::string scheme = field.string_or("prepend_scheme", "always");
  if (!field.boolean_or("add_prefix_space", true)) {
    if (field.has("prepend_scheme") && scheme != "never") {
      field.reject("add_prefix_space is false, but prepend_scheme is '" + scheme + "'");
    }
    scheme = "never";
  }
  if (scheme != "always" && scheme != "first" && scheme != "never") {
    field.at("prepend_scheme").reject("'" + scheme + "' is not implemented");
  }
  const auto mark = [replacement, scheme](std::vector<AlignedText> pieces) {
    const Pattern space = Pattern::literal(" ");
    for (auto& piece : pieces) {
      const bool at_start = !piece.empty() && piece.input_span(0, 1).begin == 0;
      piece = replace_matches(piece, space.find_all(piece.text()), replacement);
      const bool wanted = scheme == "always" || (scheme == "first" && at_start);
      if (wanted && !piece.text().starts_with(replacement)) piece.prepend(replacement);
    }
    return pieces;
  };
  if (!field.boolean_or("split", true)) return mark;
  return in_order(
      {mark, split_by_pattern(Pattern::literal(replacement), Behavior::merged_with_next)});
}

PreTokenizer parse_split(const JsonField& field) {
  field.allow_only({"type", "pattern", "behavior", "invert"});
  return split_by_pattern(Pattern::parse(field.at("pattern")), parse_behavior(field.at("behavior")),
                          field.boolean_or("invert", false));
}

PreTokenizer parse_sequence(const JsonField& field) {
  field.allow_only({"type", "pretokenizers"});
  std::vector<PreTokenizer> steps;
  for (const auto& element : field.at("pretokenizers").elements()) {
    steps.push_back(parse_pre_tokenizer(element));
  }
  return in_order(std::move(steps));
}

}  // namespace

PreTokenizer bert_pre_tokenizer() {
  return in_order({split_by_character(is_white_space, Behavior::removed),
                   split_by_character(is_punctuation, Behavior::isolated)});
}

PreTokenizer parse_pre_tokenizer(const JsonField& field) {
  if (field.is_null()) return [](std::vector<AlignedText> pieces) { return pieces; };
  const std::string type = field.required_string("type");
  if (type == "Sequence") return parse_sequence(field);
  if (type == "ByteLevel") return parse_byte_level(field);
  if (type == "Metaspace") return parse_metaspace(field);
  if (type == "Split") return parse_split(field);
  if (type == "Digits") {
    field.allow_only({"type", "individual_digits"});
    return split_by_character(is_numeric, field.boolean_or("individual_digits", false)
                                              ? Behavior::isolated
                                              : Behavior::contiguous);
  }
  if (type == "Punctuation") {
    field.allow_only({"type", "behavior"});
    return split_by_character(is_punctuation, field.has("behavior")
                                                  ? parse_behavior(field.at("behavior"))
                                                  : Behavior::isolated);
  }
  field.allow_only({"type"});
  if (type == "WhitespaceSplit") return split_by_character(is_white_space, Behavior::removed);
  if (type == "BertPreTokenizer") return bert_pre_tokenizer();
  if (type == "Whitespace") {
    return split_by_pattern(Pattern::regex(R"(\w+|[^\w\s]+)", field), Behavior::removed, true);
  }
  field.reject("the pre-tokenizer '" + type + "' is not implemented");
}

}  // namespace tofu
