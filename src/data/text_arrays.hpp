// Lists of texts as arrays of an HDF5 group: bytes and offsets.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "store/hdf5.hpp"

namespace tofu {

void write_texts(const Hdf5File& file, const std::string& group,
                 const std::vector<std::string>& texts);
// Error{input_data} if an array is missing or damaged, or the offsets do not fit the bytes.
std::vector<std::string> read_texts(const Hdf5File& file, const std::string& group);

// Lists of texts: one more level of offsets.
void write_text_lists(const Hdf5File& file, const std::string& group,
                      const std::vector<std::vector<std::string>>& lists);
std::vector<std::vector<std::string>> read_text_lists(const Hdf5File& file,
                                                      const std::string& group);

// An array of offsets into something of `total` elements: from 0 to `total`, never falling.
std::vector<std::int64_t> read_offsets(const Hdf5File& file, const std::string& name,
                                       std::size_t total);

}  // namespace tofu
