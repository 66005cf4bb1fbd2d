// The data of a job, whatever it is kept in: a folder of JSON files or a prepared .h5.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/answer_masks.hpp"
#include "data/dataset_file.hpp"
#include "data/json_masks.hpp"
#include "data/record.hpp"

namespace tofu {

// Nothing is collective: each process reads by itself. What cannot be used is Error{input_data}
// with file and place; a path that cannot be read is Error{file_system}.
class Dataset {
 public:
  // Each path is a folder or a prepared .h5; masks come from the data's path if theirs is empty.
  static Dataset open(const std::filesystem::path& data_path,
                      const std::filesystem::path& masks_path = {});

  std::vector<std::string> splits() const;
  // Error that lists the splits if there is none of that name.
  std::vector<Record> records(const std::string& split) const;
  // See split_digest().
  std::string digest(const std::string& split) const;
  bool has_refusals() const;
  std::vector<std::string> refusals() const;
  std::vector<MaskName> available_masks() const;
  // The general words of each record of the split. Error that lists the masks if there are none.
  AnswerMasks masks(const std::string& split, const std::string& classifier) const;
  // Nothing if the data is a folder or has no such tokens.
  std::optional<TokenArrays> tokens(const std::string& model_family, const std::string& split,
                                    const std::string& field) const;
  // All of it, as a prepared file holds it; without masks of splits that are not there, which a
  // warning names.
  DatasetContent content() const;

 private:
  // A folder, or an open file.
  struct Source {
    std::filesystem::path path;
    std::optional<DatasetFile> file;
  };
  static Source open_source(const std::filesystem::path& path, const char* key);
  const Source& masks_source() const { return masks_ ? *masks_ : data_; }

  Source data_;
  std::optional<Source> masks_;
};

}  // namespace tofu
