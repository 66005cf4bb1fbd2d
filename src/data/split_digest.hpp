// A name for the content of a split.
#pragma once

#include <string>
#include <vector>

#include "data/record.hpp"

namespace tofu {

// Sixteen hexadecimal digits that depend on the questions and answers and their order alone: the
// same on every machine and for every kind of file. FNV-1a (64 bits) over the texts, each preceded
// by its length as eight little-endian bytes.
std::string split_digest(const std::vector<Record>& records);

}  // namespace tofu
