// Masks in whatever they are kept: a file in the published form, a folder of them, a dataset file.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/provenance.hpp"
#include "data/answer_masks.hpp"
#include "data/dataset.hpp"
#include "data/record.hpp"
#include "identify/agreement.hpp"

namespace tofu {

// The masks of one split with the records that they belong to.
struct SplitMasks {
  std::vector<Record> records;
  AnswerMasks masks;
};

// Where masks go: `out`, or, if that is a folder, the published name in it. Error{usage} if it is
// neither a folder nor a .jsonl or .h5 file.
std::filesystem::path mask_output(const std::filesystem::path& out, const std::string& split,
                                  const std::string& classifier);

// Writes masks to `path`, atomically: a file in the published form, with `provenance` beside it as
// PATH.provenance, or an .h5: those masks are added to a dataset file that is there (or take the
// place of older ones), else a new one is made from `dataset`. Error{input_data} if the file's
// split has other records.
void write_split_masks(const std::filesystem::path& path, const Dataset& dataset,
                       const std::string& split, const std::string& classifier,
                       const SplitMasks& masks, const KeyValues& provenance);

// Masks by split. `source` is "PATH" or "PATH:CLASSIFIER": a mask file, or a folder of them or a
// dataset file, where CLASSIFIER may be left out if there is only one. A mask file whose name does
// not say its split has the split "". Error{input_data} lists what is there.
std::map<std::string, SplitMasks> read_all_masks(const std::string& source);

// Compares the splits that both sources (see above) have; a split without a name is that of the
// other source with the same records. Error{input_data} if there are none or their records differ.
std::map<std::string, Agreement> compare_all_masks(const std::string& source_a,
                                                   const std::string& source_b);

}  // namespace tofu
