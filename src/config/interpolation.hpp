// References inside configuration values.
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace tofu {

// What a reference may lead to.
struct ReferenceSource {
  std::string text;    // may hold references itself
  std::string origin;  // for messages
};

// Gives the value of a key, nothing if there is no such key.
using ReferenceLookup = std::function<std::optional<ReferenceSource>(const std::string& key)>;

// The value of `key` with every reference replaced: ${key} with the value of that key, ${.key} and
// ${..key} relative to the group that holds the value, ${env:NAME} with an environment variable.
// "\${" stands for a plain "${". Error{usage} names an unknown key or variable, an empty value, a
// cycle and an unclosed reference.
std::string interpolate(const std::string& key, const ReferenceLookup& lookup);

// The opposite: text that interpolate gives back as `plain`.
std::string escape_references(const std::string& plain);

}  // namespace tofu
