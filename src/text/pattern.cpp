#define PCRE2_CODE_UNIT_WIDTH 8
#include "text/pattern.hpp"

#include <pcre2.h>

#include "base/error.hpp"
#include "text/unicode.hpp"

namespace tofu {

namespace {

// Contents of character classes. PCRE2's own \s adds U+180E and its \w lacks the marks.
constexpr std::string_view kSpace = R"(\p{Z}\t-\r\x{85})";
constexpr std::string_view kWord =
    R"(\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\x{24B6}-\x{24E9}\x{1F130}-\x{1F149}\x{1F150}-\x{1F169})"
    R"(\x{1F170}-\x{1F189})";

// Rewrites an Oniguruma (Ruby syntax) expression for PCRE2, and refuses what they read differently.
class Translator {
 public:
  Translator(std::string_view expression, const JsonField& field)
      : expression_(expression), field_(field) {}

  std::string translate() {
    while (position_ < expression_.size()) {
      const char c = expression_[position_];
      if (c == '\\') {
        escape();
      } else if (in_class_) {
        class_character(c);
      } else {
        if (c == '(') check_group();
        if (c == '[') in_class_ = true;
        // Ruby reads {,n} as {0,n} and {n}+ as one or more times {n}; PCRE2 does not.
        const auto rest = expression_.substr(position_);
        if (rest.starts_with("{,") || rest.starts_with("}+")) {
          refuse(std::string(rest.substr(0, 2)));
        }
        output_ += c;
        ++position_;
        if (c == '[' && position_ < expression_.size() && expression_[position_] == '^') {
          output_ += '^';
          ++position_;
        }
      }
    }
    return output_;
  }

 private:
  void class_character(char c) {
    const auto rest = expression_.substr(position_);
    if (rest.starts_with("&&")) refuse("&&");
    if (rest.starts_with("[:")) {
      const std::size_t end = rest.find(":]");
      if (end == std::string_view::npos) refuse("[:");
      output_ += rest.substr(0, end + 2);
      position_ += end + 2;
      return;
    }
    if (c == '[') refuse("a class inside a class");
    if (c == ']') in_class_ = false;
    output_ += c;
    ++position_;
  }

  void escape() {
    if (position_ + 1 == expression_.size()) refuse("a backslash at the end");
    const char c = expression_[position_ + 1];
    position_ += 2;
    switch (c) {
      case 's':
        output_ += in_class_ ? std::string(kSpace) : "[" + std::string(kSpace) + "]";
        break;
      case 'w':
        output_ += in_class_ ? std::string(kWord) : "[" + std::string(kWord) + "]";
        break;
      case 'S':
      case 'W':
        if (in_class_) refuse(std::string("\\") + c + " inside a class");
        output_ += "[^" + std::string(c == 'S' ? kSpace : kWord) + "]";
        break;
      default: {
        const bool letter_or_digit =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (letter_or_digit && std::string_view("pPdDrntfxA").find(c) == std::string_view::npos) {
          refuse(std::string("\\") + c);
        }
        output_ += '\\';
        output_ += c;
        if (c == 'p' || c == 'P' || c == 'x') copy_braces();
      }
    }
  }

  // The {...} of \p{...} and \x{...}, which is no quantifier.
  void copy_braces() {
    const auto rest = expression_.substr(position_);
    if (!rest.starts_with("{")) return;
    const std::size_t end = rest.find('}');
    if (end == std::string_view::npos) refuse("{ without }");
    output_ += rest.substr(0, end + 1);
    position_ += end + 1;
  }

  // Groups may be (?: (?= (?! (?<= (?<! (?> or set the flag i; the flags m, s and x differ.
  void check_group() {
    const auto rest = expression_.substr(position_);
    if (!rest.starts_with("(?")) return;
    for (const std::string_view known :
         {"(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?i)", "(?i:", "(?-i:", "(?-i)"}) {
      if (rest.starts_with(known)) return;
    }
    refuse(std::string(rest.substr(0, 4)));
  }

  [[noreturn]] void refuse(const std::string& what) const {
    field_.reject("the regular expression uses " + what +
                  ", which this program does not implement");
  }

  std::string_view expression_;
  const JsonField& field_;
  std::size_t position_ = 0;
  bool in_class_ = false;
  std::string output_;
};

struct CodeDeleter {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct MatchDeleter {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};

std::string message_of(int code) {
  PCRE2_UCHAR buffer[256] = {};
  pcre2_get_error_message(code, buffer, sizeof buffer);
  return reinterpret_cast<const char*>(buffer);
}

}  // namespace

struct Pattern::Compiled {
  std::unique_ptr<pcre2_code, CodeDeleter> code;
};

Pattern Pattern::regex(const std::string& expression, const JsonField& field) {
  const std::string translated = Translator(expression, field).translate();
  int error = 0;
  PCRE2_SIZE offset = 0;
  // Oniguruma's ^ and $ are those of lines.
  auto* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(),
                             PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE, &error, &offset, nullptr);
  if (code == nullptr) {
    field.reject("is not a regular expression that this program reads (" + message_of(error) + ")");
  }
  auto compiled = std::make_shared<Compiled>();
  compiled->code.reset(code);
  // Without a just-in-time compiler for this machine PCRE2 interprets: slower, the same matches.
  pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
  Pattern pattern;
  pattern.compiled_ = std::move(compiled);
  return pattern;
}

Pattern Pattern::literal(std::string text) {
  Pattern pattern;
  pattern.literal_ = std::move(text);
  return pattern;
}

Pattern Pattern::parse(const JsonField& field) {
  field.allow_only({"String", "Regex"});
  if (field.has("Regex")) return regex(field.at("Regex").string(), field.at("Regex"));
  return literal(field.at("String").string());
}

std::vector<ByteSpan> Pattern::find_all(std::string_view text) const {
  std::vector<ByteSpan> matches;
  if (!compiled_) {
    if (literal_.empty()) return matches;
    for (auto found = text.find(literal_); found != std::string_view::npos;
         found = text.find(literal_, found + literal_.size())) {
      matches.push_back({found, found + literal_.size()});
    }
    return matches;
  }
  const auto* code = compiled_->code.get();
  const std::unique_ptr<pcre2_match_data, MatchDeleter> data(
      pcre2_match_data_create_from_pattern(code, nullptr));
  std::size_t position = 0;
  while (position <= text.size()) {
    const int result = pcre2_match(code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(),
                                   position, PCRE2_NO_UTF_CHECK, data.get(), nullptr);
    if (result == PCRE2_ERROR_NOMATCH) break;
    if (result < 0) {
      fail(ErrorCategory::input_data,
           "the tokenizer's regular expression failed on a text of {} bytes at byte {} ({}); "
           "shorten the text",
           text.size(), position, message_of(result));
    }
    const auto* bounds = pcre2_get_ovector_pointer(data.get());
    const bool empty = bounds[0] == bounds[1];
    // An empty match right behind another one is none.
    if (!empty || matches.empty() || matches.back().end != bounds[0]) {
      matches.push_back({bounds[0], bounds[1]});
    }
    if (!empty) {
      position = bounds[1];
    } else {
      position =
          bounds[1] < text.size() ? bounds[1] + utf8_length(text[bounds[1]]) : text.size() + 1;
    }
  }
  return matches;
}

}  // namespace tofu
