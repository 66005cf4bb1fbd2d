#include "text/decoder.hpp"

#include <utility>

#include "text/byte_level.hpp"
#include "text/pattern.hpp"
#include "text/unicode.hpp"

namespace tofu {

namespace {

using Tokens = std::vector<std::string>;

std::string join(const Tokens& tokens) {
  std::string text;
  for (const auto& token : tokens) text += token;
  return text;
}

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  for (auto found = text.find(from); found != std::string::npos;
       found = text.find(from, found + to.size())) {
    text.replace(found, from.size(), to);
  }
  return text;
}

Tokens decode_byte_level(const Tokens& tokens) {
  std::string bytes;
  for (const auto& token : tokens) bytes += byte_level_bytes(token).value_or(token);
  return {replace_invalid_utf8(bytes)};
}

// The byte that a token such as <0x0A> spells; -1 if it is another token.
int byte_of_token(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token.back() != '>') return -1;
  int value = 0;
  for (const char c : token.substr(3, 2)) {
    const std::string_view digits = "0123456789abcdef";
    const auto digit = digits.find(c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c);
    if (digit == std::string_view::npos) return -1;
    value = value * 16 + static_cast<int>(digit);
  }
  return value;
}

// Runs of byte tokens become their text, or one U+FFFD for each byte if they spell none.
Tokens decode_byte_fallback(const Tokens& tokens) {
  Tokens output;
  std::string bytes;
  const auto flush = [&] {
    if (!find_invalid_utf8(bytes)) {
      if (!bytes.empty()) output.push_back(bytes);
    } else {
      output.insert(output.end(), bytes.size(), "\xEF\xBF\xBD");
    }
    bytes.clear();
  };
  for (const auto& token : tokens) {
    const int byte = byte_of_token(token);
    if (byte >= 0) {
      bytes += static_cast<char>(byte);
    } else {
      flush();
      output.push_back(token);
    }
  }
  flush();
  return output;
}

Decoder parse_replace(const JsonField& field) {
  field.allow_only({"type", "pattern", "content"});
  return [pattern = Pattern::parse(field.at("pattern")),
          content = field.required_string("content")](Tokens tokens) {
    for (auto& token : tokens) {
      std::string text;
      std::size_t position = 0;
      for (const auto& match : pattern.find_all(token)) {
        text += token.substr(position, match.begin - position) + content;
        position = match.end;
      }
      token = text + token.substr(position);
    }
    return tokens;
  };
}

Decoder parse_strip(const JsonField& field) {
  field.allow_only({"type", "content", "start", "stop"});
  return [content = field.required_string("content"), start = field.at("start").count(),
          stop = field.at("stop").count()](Tokens tokens) {
    for (auto& token : tokens) {
      std::string_view rest = token;
      for (std::int64_t i = 0; i < start && rest.starts_with(content); ++i) {
        rest.remove_prefix(content.size());
      }
      for (std::int64_t i = 0; i < stop && rest.ends_with(content); ++i) {
        rest.remove_suffix(content.size());
      }
      token = std::string(rest);
    }
    return tokens;
  };
}

Decoder parse_metaspace(const JsonField& field) {
  field.allow_only(
      {"type", "replacement", "prepend_scheme", "split", "add_prefix_space", "str_rep"});
  const bool prepended = field.boolean_or("add_prefix_space", true) &&
                         field.string_or("prepend_scheme", "always") != "never";
  return [replacement = field.required_string("replacement"), prepended](Tokens tokens) {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      tokens[i] = replace_all(tokens[i], replacement, i == 0 && prepended ? "" : " ");
    }
    return tokens;
  };
}

Decoder parse_bpe(const JsonField& field) {
  field.allow_only({"type", "suffix"});
  return [suffix = field.string_or("suffix", "</w>")](Tokens tokens) {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      tokens[i] = replace_all(tokens[i], suffix, i + 1 == tokens.size() ? "" : " ");
    }
    return tokens;
  };
}

// Drops the spaces before . ? ! , and before n't 'm 's 've 're, and around '.
std::string clean_up_spaces(std::string text) {
  const std::pair<std::string_view, std::string_view> rules[] = {
      {" .", "."},     {" ?", "?"},   {" !", "!"},   {" ,", ","},     {" ' ", "'"},
      {" n't", "n't"}, {" 'm", "'m"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  for (const auto& [from, to] : rules) text = replace_all(std::move(text), from, to);
  return text;
}

Decoder parse_sequence(const JsonField& field) {
  field.allow_only({"type", "decoders"});
  std::vector<Decoder> steps;
  for (const auto& element : field.at("decoders").elements()) {
    steps.push_back(parse_decoder(element));
  }
  return [steps](Tokens tokens) {
    for (const auto& step : steps) tokens = step(std::move(tokens));
    return tokens;
  };
}

}  // namespace

Decoder word_piece_decoder(std::string prefix, bool cleanup) {
  return [prefix = std::move(prefix), cleanup](Tokens tokens) {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const bool continues = tokens[i].starts_with(prefix);
      std::string text = i == 0 || continues ? "" : " ";
      text += i > 0 && continues ? tokens[i].substr(prefix.size()) : tokens[i];
      // As there, each token by itself.
      tokens[i] = cleanup ? clean_up_spaces(std::move(text)) : std::move(text);
    }
    return tokens;
  };
}

Decoder parse_decoder(const JsonField& field) {
  if (field.is_null()) {
    return [](Tokens tokens) {
      for (std::size_t i = 0; i + 1 < tokens.size(); ++i) tokens[i] += ' ';
      return tokens;
    };
  }
  const std::string type = field.required_string("type");
  if (type == "Sequence") return parse_sequence(field);
  if (type == "Replace") return parse_replace(field);
  if (type == "Strip") return parse_strip(field);
  if (type == "Metaspace") return parse_metaspace(field);
  if (type == "BPEDecoder") return parse_bpe(field);
  if (type == "ByteLevel") {
    field.allow_only({"type", "add_prefix_space", "trim_offsets", "use_regex"});
    return decode_byte_level;
  }
  if (type == "WordPiece") {
    field.allow_only({"type", "prefix", "cleanup"});
    return word_piece_decoder(field.string_or("prefix", "##"), field.boolean_or("cleanup", true));
  }
  field.allow_only({"type"});
  if (type == "ByteFallback") return decode_byte_fallback;
  if (type == "Fuse") return [](const Tokens& tokens) { return Tokens{join(tokens)}; };
  field.reject("the decoder '" + type + "' is not implemented");
}

}  // namespace tofu
