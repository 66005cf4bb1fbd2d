#include "data/dataset.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

#include "base/error.hpp"
#include "base/log.hpp"
#include "data/json_dataset.hpp"
#include "data/split_digest.hpp"

namespace tofu {

Dataset::Source Dataset::open_source(const std::filesystem::path& path, const char* key) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) {
    fail(ErrorCategory::file_system, "{} {}: {}", key, path.string(),
         error ? error.message() : "there is no such file or folder");
  }
  Source source{path, std::nullopt};
  if (std::filesystem::is_directory(status)) return source;
  if (!is_hdf5_file(path)) {
    fail(ErrorCategory::input_data,
         "{} {}: neither a folder of JSON files nor an .h5 file that `tofu_mpi prepare` made", key,
         path.string());
  }
  source.file = DatasetFile::open(path);
  return source;
}

Dataset Dataset::open(const std::filesystem::path& data_path,
                      const std::filesystem::path& masks_path) {
  Dataset dataset;
  dataset.data_ = open_source(data_path, "data_path");
  if (!masks_path.empty()) dataset.masks_ = open_source(masks_path, "masks_path");
  return dataset;
}

std::vector<std::string> Dataset::splits() const {
  return data_.file ? data_.file->splits() : available_splits(data_.path);
}

std::vector<Record> Dataset::records(const std::string& split) const {
  return data_.file ? data_.file->records(split) : read_split(data_.path, split);
}

std::string Dataset::digest(const std::string& split) const {
  return split_digest(records(split));
}

bool Dataset::has_refusals() const {
  return data_.file ? data_.file->has_refusals() : tofu::has_refusals(data_.path);
}

std::vector<std::string> Dataset::refusals() const {
  return data_.file ? data_.file->refusals() : read_refusals(data_.path);
}

std::vector<MaskName> Dataset::available_masks() const {
  const Source& source = masks_source();
  return source.file ? source.file->available_masks() : tofu::available_masks(source.path);
}

AnswerMasks Dataset::masks(const std::string& split, const std::string& classifier) const {
  const Source& source = masks_source();
  return source.file ? source.file->masks(split, classifier, records(split))
                     : read_masks(source.path, split, classifier, records(split));
}

std::optional<TokenArrays> Dataset::tokens(const std::string& model_family,
                                           const std::string& split,
                                           const std::string& field) const {
  if (!data_.file) return std::nullopt;
  return data_.file->tokens(model_family, split, field);
}

DatasetContent Dataset::content() const {
  DatasetContent content;
  if (data_.file) {
    content = data_.file->content();
    content.masks.clear();  // read below, from wherever they are
  } else {
    for (const std::string& split : splits()) content.splits[split] = records(split);
    if (has_refusals()) content.refusals = refusals();
  }
  for (const MaskName& name : available_masks()) {
    if (content.splits.contains(name.split)) {
      content.masks[name.classifier][name.split] = masks(name.split, name.classifier);
    } else {
      log_warning("masks of {} by {} are left out: {} has no such split", name.split,
                  name.classifier, data_.path.string());
    }
  }
  return content;
}

}  // namespace tofu
