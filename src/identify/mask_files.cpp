#include "identify/mask_files.hpp"

#include <nlohmann/json.hpp>
#include <set>

#include "base/error.hpp"
#include "data/json_masks.hpp"
#include "data/split_digest.hpp"
#include "store/atomic_file.hpp"

namespace tofu {
namespace {

namespace fs = std::filesystem;

void add_to_dataset_file(const fs::path& path, const Dataset& dataset, const std::string& split,
                         const std::string& classifier, const SplitMasks& masks,
                         const KeyValues& provenance) {
  DatasetContent content = fs::exists(path) ? DatasetFile::open(path).content() : dataset.content();
  const auto [there, is_new] = content.splits.emplace(split, masks.records);
  if (!is_new && split_digest(there->second) != split_digest(masks.records)) {
    fail(ErrorCategory::input_data,
         "{}: its split {} has other questions and answers than data_path; prepare the file again "
         "or give another out",
         path.string(), split);
  }
  content.masks[classifier][split] = masks.masks;
  std::string text;
  for (const auto& [key, value] : provenance) text += fmt::format("{}: {}\n", key, value);
  content.provenance[fmt::format("masks {} {}", classifier, split)] = text;
  write_dataset_file(path, content);
}

// The dataset file or folder with the classifier that `source` names.
struct MaskSource {
  fs::path path;
  std::string classifier;
};

MaskSource parse_source(const std::string& source) {
  if (fs::exists(source)) return {source, ""};
  const std::size_t colon = source.rfind(':');
  if (colon != std::string::npos && fs::exists(source.substr(0, colon))) {
    return {source.substr(0, colon), source.substr(colon + 1)};
  }
  fail(ErrorCategory::file_system,
       "{}: there is no such file or folder (masks are named as PATH or PATH:CLASSIFIER)", source);
}

std::map<std::string, SplitMasks> read_mask_file_alone(const fs::path& path) {
  const auto name = parse_mask_file_name(path.filename().string());
  SplitMasks masks;
  masks.records = read_mask_file_records(path);
  masks.masks = read_mask_file(path, masks.records);
  return {{name ? name->split : "", std::move(masks)}};
}

// Gives masks of a split without a name the name of the split of `others` with the same records.
void name_by_content(std::map<std::string, SplitMasks>* masks,
                     const std::map<std::string, SplitMasks>& others) {
  const auto nameless = masks->find("");
  if (nameless == masks->end()) return;
  const std::string digest = split_digest(nameless->second.records);
  for (const auto& [split, other] : others) {
    if (split_digest(other.records) != digest) continue;
    auto node = masks->extract(nameless);
    node.key() = split;
    masks->insert(std::move(node));
    return;
  }
}

// The one classifier that a name leaves open.
std::string choose_classifier(const MaskSource& source, const std::vector<MaskName>& available) {
  std::set<std::string> classifiers;
  for (const MaskName& name : available) classifiers.insert(name.classifier);
  if (!source.classifier.empty() && classifiers.contains(source.classifier)) {
    return source.classifier;
  }
  if (source.classifier.empty() && classifiers.size() == 1) return *classifiers.begin();
  fail(ErrorCategory::input_data, "{}: say whose masks as {}:CLASSIFIER; those there: {}",
       source.path.string(), source.path.string(), list_text(available));
}

}  // namespace

fs::path mask_output(const fs::path& out, const std::string& split, const std::string& classifier) {
  if (fs::is_directory(out)) return out / mask_file_name(split, classifier);
  if (out.extension() == ".jsonl" || out.extension() == ".h5") return out;
  fail(ErrorCategory::usage, "out is {}; a folder, a .jsonl or an .h5 file is expected",
       out.string());
}

void write_split_masks(const fs::path& path, const Dataset& dataset, const std::string& split,
                       const std::string& classifier, const SplitMasks& masks,
                       const KeyValues& provenance) {
  if (path.extension() == ".h5") {
    add_to_dataset_file(path, dataset, split, classifier, masks, provenance);
    return;
  }
  write_mask_file(path, masks.records, masks.masks);
  nlohmann::ordered_json values;
  for (const auto& [key, value] : provenance) values[key] = value;
  write_file_atomically(path.string() + ".provenance", values.dump(2) + "\n");
}

std::map<std::string, SplitMasks> read_all_masks(const std::string& text) {
  const MaskSource source = parse_source(text);
  const bool is_folder = fs::is_directory(source.path);
  if (!is_folder && !is_hdf5_file(source.path)) return read_mask_file_alone(source.path);
  std::map<std::string, SplitMasks> result;
  if (is_folder) {
    const auto available = available_masks(source.path);
    const std::string classifier = choose_classifier(source, available);
    for (const MaskName& name : available) {
      if (name.classifier != classifier) continue;
      result.merge(read_mask_file_alone(source.path / mask_file_name(name.split, classifier)));
    }
    return result;
  }
  const DatasetFile file = DatasetFile::open(source.path);
  const auto available = file.available_masks();
  const std::string classifier = choose_classifier(source, available);
  for (const MaskName& name : available) {
    if (name.classifier != classifier) continue;
    SplitMasks masks;
    masks.records = file.records(name.split);
    masks.masks = file.masks(name.split, classifier, masks.records);
    result[name.split] = std::move(masks);
  }
  return result;
}

std::map<std::string, Agreement> compare_all_masks(const std::string& source_a,
                                                   const std::string& source_b) {
  auto a = read_all_masks(source_a);
  auto b = read_all_masks(source_b);
  name_by_content(&a, b);
  name_by_content(&b, a);
  std::map<std::string, Agreement> result;
  for (const auto& [split, masks_a] : a) {
    const auto masks_b = b.find(split);
    if (masks_b == b.end()) continue;
    if (split_digest(masks_a.records) != split_digest(masks_b->second.records)) {
      fail(ErrorCategory::input_data,
           "{} and {}: the masks of {} were made for different questions and answers", source_a,
           source_b, split);
    }
    result[split] = compare_masks(masks_a.records, masks_a.masks, masks_b->second.masks);
  }
  if (result.empty()) {
    fail(ErrorCategory::input_data, "{} and {} have masks of no split in common", source_a,
         source_b);
  }
  return result;
}

}  // namespace tofu
