#include "text/normalizer.hpp"

#include <utf8proc.h>

#include <cstdlib>
#include <utility>

#include "text/pattern.hpp"
#include "text/unicode.hpp"

namespace tofu {

namespace {

// Rewrites character by character: `rewrite(code_point)` gives what stands in its place.
template <typename Rewrite>
AlignedText map_characters(const AlignedText& input, Rewrite rewrite) {
  AlignedText output;
  const std::string& text = input.text();
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = begin;
    const char32_t code_point = next_code_point(text, end);
    std::string replacement;
    for (const char32_t c : std::u32string(rewrite(code_point))) append_utf8(replacement, c);
    output.append(replacement, input.input_span(begin, end));
    begin = end;
  }
  return output;
}

template <typename Predicate>
AlignedText drop_characters(const AlignedText& input, Predicate drop) {
  return map_characters(input,
                        [&](char32_t c) { return drop(c) ? std::u32string() : std::u32string{c}; });
}

AlignedText lowercase(const AlignedText& input) {
  return map_characters(input, to_lower);
}

// Appends the normal form of bytes [begin, end) of `input`; its characters stand for those of the
// input in their order.
void append_normal_form(AlignedText& output, const AlignedText& input, std::size_t begin,
                        std::size_t end, utf8proc_option_t options) {
  utf8proc_uint8_t* mapped = nullptr;
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(input.text().data()) + begin;
  const auto length =
      utf8proc_map(bytes, static_cast<utf8proc_ssize_t>(end - begin), &mapped, options);
  const std::string result(reinterpret_cast<const char*>(mapped),
                           length > 0 ? static_cast<std::size_t>(length) : 0);
  std::free(mapped);
  std::size_t source = begin;
  for (std::size_t position = 0; position < result.size();) {
    const std::size_t size = utf8_length(result[position]);
    const std::size_t source_end = source + utf8_length(input.text()[source]);
    output.append(std::string_view(result).substr(position, size),
                  input.input_span(source, source_end));
    position += size;
    if (source_end < end) source = source_end;
  }
}

// Whether normalisation never joins this character to the one before it.
bool starts_segment(char32_t code_point) {
  const auto* property = utf8proc_get_property(static_cast<utf8proc_int32_t>(code_point));
  const bool hangul_part = code_point >= 0x1160 && code_point <= 0x11FF;
  return property->combining_class == 0 && !hangul_part && !is_mark(code_point);
}

Normalizer unicode_normal_form(int options) {
  return [options](const AlignedText& input) {
    AlignedText output;
    const std::string& text = input.text();
    for (std::size_t begin = 0; begin < text.size();) {
      std::size_t end = begin;
      next_code_point(text, end);
      for (std::size_t next = end; next < text.size(); end = next) {
        if (starts_segment(next_code_point(text, next))) break;
      }
      append_normal_form(output, input, begin, end, static_cast<utf8proc_option_t>(options));
      begin = end;
    }
    return output;
  };
}

constexpr int kNfd = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE;
constexpr int kNfc = UTF8PROC_STABLE | UTF8PROC_COMPOSE;

AlignedText strip(const AlignedText& input, bool left, bool right) {
  const std::string& text = input.text();
  std::size_t begin = 0;
  std::size_t end = 0;  // behind the last character that is not white space
  bool seen = false;
  for (std::size_t position = 0; position < text.size();) {
    const std::size_t start = position;
    if (is_white_space(next_code_point(text, position))) continue;
    if (!seen) begin = start;
    seen = true;
    end = position;
  }
  if (!seen) return left || right ? AlignedText() : input;
  return input.slice(left ? begin : 0, right ? end : text.size());
}

Normalizer parse_sequence(const JsonField& field) {
  field.allow_only({"type", "normalizers"});
  std::vector<Normalizer> steps;
  for (const auto& element : field.at("normalizers").elements()) {
    steps.push_back(parse_normalizer(element));
  }
  return [steps](const AlignedText& input) {
    AlignedText text = input;
    for (const auto& step : steps) text = step(text);
    return text;
  };
}

Normalizer parse_prepend(const JsonField& field) {
  field.allow_only({"type", "prepend"});
  return [prefix = field.required_string("prepend")](const AlignedText& input) {
    AlignedText text = input;
    text.prepend(prefix);
    return text;
  };
}

Normalizer parse_replace(const JsonField& field) {
  field.allow_only({"type", "pattern", "content"});
  return [pattern = Pattern::parse(field.at("pattern")),
          content = field.required_string("content")](const AlignedText& input) {
    return replace_matches(input, pattern.find_all(input.text()), content);
  };
}

Normalizer parse_bert(const JsonField& field) {
  field.allow_only({"type", "clean_text", "handle_chinese_chars", "strip_accents", "lowercase"});
  BertNormalizerOptions options;
  options.clean_text = field.boolean_or("clean_text", true);
  options.handle_chinese_chars = field.boolean_or("handle_chinese_chars", true);
  options.lowercase = field.boolean_or("lowercase", true);
  options.strip_accents = field.boolean_or("strip_accents", options.lowercase);
  return bert_normalizer(options);
}

bool is_chinese(char32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
         (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2B73F) ||
         (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

std::u32string clean_character(char32_t c) {
  if (c == '\t' || c == '\n' || c == '\r') return U" ";
  if (c == 0 || c == 0xFFFD || is_control(c)) return U"";
  return is_white_space(c) ? U" " : std::u32string{c};
}

}  // namespace

AlignedText replace_matches(const AlignedText& text, const std::vector<ByteSpan>& matches,
                            std::string_view content) {
  AlignedText output;
  std::size_t position = 0;
  for (const auto& match : matches) {
    output.append(text, position, match.begin);
    const std::size_t last = match.end > 0 ? match.end - 1 : 0;
    output.append(content, match.end > 0 ? text.input_span(last, match.end) : ByteSpan{});
    position = match.end;
  }
  output.append(text, position, text.text().size());
  return output;
}

Normalizer bert_normalizer(const BertNormalizerOptions& options) {
  return [options, decompose = unicode_normal_form(kNfd)](const AlignedText& input) {
    AlignedText text = options.clean_text ? map_characters(input, clean_character) : input;
    if (options.handle_chinese_chars) {
      text = map_characters(text, [](char32_t c) {
        return is_chinese(c) ? std::u32string{U' ', c, U' '} : std::u32string{c};
      });
    }
    if (options.strip_accents) text = drop_characters(decompose(text), is_nonspacing_mark);
    return options.lowercase ? lowercase(text) : text;
  };
}

Normalizer parse_normalizer(const JsonField& field) {
  if (field.is_null()) return [](const AlignedText& text) { return text; };
  const std::string type = field.required_string("type");
  if (type == "Sequence") return parse_sequence(field);
  if (type == "Prepend") return parse_prepend(field);
  if (type == "Replace") return parse_replace(field);
  if (type == "BertNormalizer") return parse_bert(field);
  if (type == "Strip") {
    field.allow_only({"type", "strip_left", "strip_right"});
    return [left = field.at("strip_left").boolean(), right = field.at("strip_right").boolean()](
               const AlignedText& text) { return strip(text, left, right); };
  }
  const std::pair<std::string_view, Normalizer> plain[] = {
      {"NFC", unicode_normal_form(kNfc)},
      {"NFD", unicode_normal_form(kNfd)},
      {"NFKC", unicode_normal_form(kNfc | UTF8PROC_COMPAT)},
      {"NFKD", unicode_normal_form(kNfd | UTF8PROC_COMPAT)},
      {"Lowercase", lowercase},
      {"StripAccents", [](const AlignedText& text) { return drop_characters(text, is_mark); }}};
  for (const auto& [name, normalizer] : plain) {
    if (type != name) continue;
    field.allow_only({"type"});
    return normalizer;
  }
  field.reject("the normalizer '" + type + "' is not implemented");
}

}  // namespace tofu
