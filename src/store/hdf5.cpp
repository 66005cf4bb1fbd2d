#include "store/hdf5.hpp"

#include <algorithm>
#include <array>
#include <system_error>
#include <utility>

#include "store/posix_file.hpp"
#include "store/together.hpp"

namespace tofu {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSignature = "\x89HDF\r\n\x1A\n";

// HDF5 prints its error stack by itself unless told not to.
void silence_error_printing() {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

herr_t keep_first_message(unsigned, const H5E_error2_t* error, void* text) {
  auto& message = *static_cast<std::string*>(text);
  if (message.empty() && error->desc != nullptr) message = error->desc;
  return 0;
}

Hdf5Handle file_access_properties(const fs::path& path, MPI_Comm communicator) {
  const auto check = [&](auto result, const char* operation) {
    if (result < 0) fail_hdf5(ErrorCategory::file_system, path.string(), operation);
    return result;
  };
  Hdf5Handle access(check(H5Pcreate(H5P_FILE_ACCESS), "H5Pcreate"), H5Pclose);
  // Formats since HDF5 1.8: they carry checksums of the metadata and attributes of any length.
  check(H5Pset_libver_bounds(access.id(), H5F_LIBVER_V18, H5F_LIBVER_LATEST),
        "H5Pset_libver_bounds");
  // Files appear under their name when complete and never change: nothing to lock, and many
  // parallel file systems cannot.
  check(H5Pset_file_locking(access.id(), false, true), "H5Pset_file_locking");
  if (communicator != MPI_COMM_NULL) {
    check(H5Pset_fapl_mpio(access.id(), communicator, MPI_INFO_NULL), "H5Pset_fapl_mpio");
    check(H5Pset_all_coll_metadata_ops(access.id(), true), "H5Pset_all_coll_metadata_ops");
    check(H5Pset_coll_metadata_write(access.id(), true), "H5Pset_coll_metadata_write");
  }
  return access;
}

void require_hdf5_file(const fs::path& path) {
  const PosixFile file = PosixFile::open_to_read(path);
  std::string head(static_cast<std::size_t>(std::min<std::int64_t>(file.size(), 512)), '\0');
  file.read_at(0, head.data(), head.size());
  if (head.starts_with(kSignature)) return;
  if (head.empty()) fail(ErrorCategory::input_data, "{}: the file is empty", path.string());
  fail(ErrorCategory::input_data, "{}: not an HDF5 file but {}", path.string(),
       describe_foreign_content(head).value_or("something else"));
}

void write_attribute(const Hdf5File& file, const std::string& object, const std::string& name,
                     hid_t type, const void* value) {
  const std::string place = object + "@" + name;
  const Hdf5Handle space(check_hdf5(H5Screate(H5S_SCALAR), file, place, "H5Screate"), H5Sclose);
  const Hdf5Handle attribute(
      check_hdf5(H5Acreate_by_name(file.id(), object.c_str(), name.c_str(), type, space.id(),
                                   H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                 file, place, "H5Acreate_by_name"),
      H5Aclose);
  check_hdf5(H5Awrite(attribute.id(), type, value), file, place, "H5Awrite");
}

Hdf5Handle open_attribute(const Hdf5File& file, const std::string& object,
                          const std::string& name) {
  if (!has_attribute(file, object, name)) {
    fail(ErrorCategory::input_data, "{}: no attribute \"{}\"", file.where(object), name);
  }
  return Hdf5Handle(
      check_hdf5(H5Aopen_by_name(file.id(), object.c_str(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT),
                 file, object + "@" + name, "H5Aopen_by_name"),
      H5Aclose);
}

// The type of a scalar attribute of the given class.
Hdf5Handle scalar_type(const Hdf5File& file, const Hdf5Handle& attribute, H5T_class_t type_class,
                       const std::string& place) {
  Hdf5Handle type(check_hdf5(H5Aget_type(attribute.id()), file, place, "H5Aget_type"), H5Tclose);
  const Hdf5Handle space(check_hdf5(H5Aget_space(attribute.id()), file, place, "H5Aget_space"),
                         H5Sclose);
  if (H5Tget_class(type.id()) != type_class || H5Sget_simple_extent_npoints(space.id()) != 1 ||
      (type_class == H5T_STRING && H5Tis_variable_str(type.id()) != 0)) {
    fail(ErrorCategory::input_data, "{}: an attribute of another type than expected",
         file.where(place));
  }
  return type;
}

template <typename Value>
Value read_scalar(const Hdf5File& file, const std::string& object, const std::string& name,
                  H5T_class_t type_class, hid_t memory_type) {
  const std::string place = object + "@" + name;
  const Hdf5Handle attribute = open_attribute(file, object, name);
  scalar_type(file, attribute, type_class, place);
  Value value{};
  check_hdf5(H5Aread(attribute.id(), memory_type, &value), file, place, "H5Aread");
  return value;
}

herr_t collect_link(hid_t, const char* name, const H5L_info_t*, void* names) {
  static_cast<std::vector<std::string>*>(names)->emplace_back(name);
  return 0;
}

herr_t collect_attribute(hid_t, const char* name, const H5A_info_t*, void* names) {
  static_cast<std::vector<std::string>*>(names)->emplace_back(name);
  return 0;
}

}  // namespace

void keep_hdf5_until_exit() {
  H5dont_atexit();
  H5open();
}

Hdf5Handle::Hdf5Handle(Hdf5Handle&& other) noexcept
    : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}

Hdf5Handle& Hdf5Handle::operator=(Hdf5Handle&& other) noexcept {
  std::swap(id_, other.id_);
  std::swap(close_, other.close_);
  return *this;
}

Hdf5Handle::~Hdf5Handle() {
  if (id_ >= 0) close_(id_);
}

Hdf5File::Hdf5File(fs::path path, MPI_Comm communicator, bool writable)
    : path_(std::move(path)), communicator_(communicator), writable_(writable) {}

Hdf5File Hdf5File::create(const fs::path& path, MPI_Comm communicator) {
  silence_error_printing();
  // A plain attempt first: its reason for a failure is clearer than HDF5's, and one rank's.
  run_on_root(communicator, [&] {
    std::error_code ignored;
    fs::remove(path, ignored);
    PosixFile::create(path);
  });
  Hdf5File file(path, communicator, true);
  run_together(communicator, [&] {
    const Hdf5Handle access = file_access_properties(path, communicator);
    file.id_ = check_hdf5(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.id()), file,
                          "/", "H5Fcreate");
  });
  return file;
}

Hdf5File Hdf5File::open(const fs::path& path, MPI_Comm communicator) {
  silence_error_printing();
  run_on_root(communicator, [&] { require_hdf5_file(path); });
  Hdf5File file(path, communicator, false);
  run_together(communicator, [&] {
    const Hdf5Handle access = file_access_properties(path, communicator);
    file.id_ = check_hdf5(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.id()), file, "/", "H5Fopen");
  });
  return file;
}

Hdf5File::Hdf5File(Hdf5File&& other) noexcept
    : id_(std::exchange(other.id_, H5I_INVALID_HID)),
      path_(std::move(other.path_)),
      communicator_(other.communicator_),
      writable_(other.writable_) {}

Hdf5File& Hdf5File::operator=(Hdf5File&& other) noexcept {
  std::swap(id_, other.id_);
  std::swap(path_, other.path_);
  std::swap(communicator_, other.communicator_);
  std::swap(writable_, other.writable_);
  return *this;
}

Hdf5File::~Hdf5File() {
  if (id_ >= 0 && communicator_ == MPI_COMM_NULL) H5Fclose(id_);
}

void Hdf5File::close() {
  if (id_ < 0) return;
  run_together(communicator_, [this] {
    check_hdf5(H5Fclose(std::exchange(id_, H5I_INVALID_HID)), *this, "/", "H5Fclose");
  });
}

std::string Hdf5File::where(std::string_view object) const {
  return fmt::format("{}: {}", path_.string(), object);
}

ErrorCategory Hdf5File::failure_category() const {
  return writable_ ? ErrorCategory::file_system : ErrorCategory::input_data;
}

bool is_hdf5_file(const fs::path& path) {
  const PosixFile file = PosixFile::open_to_read(path);
  std::array<char, kSignature.size()> head{};
  if (file.size() < static_cast<std::int64_t>(head.size())) return false;
  file.read_at(0, head.data(), head.size());
  return std::string_view(head.data(), head.size()) == kSignature;
}

void fail_hdf5(ErrorCategory category, const std::string& where, const char* operation) {
  std::string message;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first_message, &message);
  if (category == ErrorCategory::input_data) {
    fail(category, "{}: the file is damaged or incomplete ({}: {})", where, operation, message);
  }
  fail(category, "{}: cannot be written; is the disk full, or a quota reached? ({}: {})", where,
       operation, message);
}

bool has_object(const Hdf5File& file, const std::string& path) {
  // H5Lexists wants every group above to be there.
  for (std::size_t end = path.find('/', 1); end != std::string::npos;
       end = path.find('/', end + 1)) {
    const std::string above = path.substr(0, end);
    if (check_hdf5(H5Lexists(file.id(), above.c_str(), H5P_DEFAULT), file, above, "H5Lexists") == 0)
      return false;
  }
  return path == "/" ||
         check_hdf5(H5Lexists(file.id(), path.c_str(), H5P_DEFAULT), file, path, "H5Lexists") > 0;
}

std::vector<std::string> list_children(const Hdf5File& file, const std::string& group) {
  if (!has_object(file, group)) {
    fail(ErrorCategory::input_data, "{}: there is no such group", file.where(group));
  }
  const Hdf5Handle handle(
      check_hdf5(H5Gopen2(file.id(), group.c_str(), H5P_DEFAULT), file, group, "H5Gopen"),
      H5Gclose);
  std::vector<std::string> names;
  check_hdf5(H5Literate(handle.id(), H5_INDEX_NAME, H5_ITER_INC, nullptr, collect_link, &names),
             file, group, "H5Literate");
  return names;
}

void create_group(const Hdf5File& file, const std::string& group) {
  const Hdf5Handle properties(check_hdf5(H5Pcreate(H5P_LINK_CREATE), file, group, "H5Pcreate"),
                              H5Pclose);
  check_hdf5(H5Pset_create_intermediate_group(properties.id(), 1), file, group,
             "H5Pset_create_intermediate_group");
  const Hdf5Handle handle(
      check_hdf5(H5Gcreate2(file.id(), group.c_str(), properties.id(), H5P_DEFAULT, H5P_DEFAULT),
                 file, group, "H5Gcreate"),
      H5Gclose);
}

void write_string_attribute(const Hdf5File& file, const std::string& object,
                            const std::string& name, std::string_view value) {
  const Hdf5Handle type(check_hdf5(H5Tcopy(H5T_C_S1), file, object, "H5Tcopy"), H5Tclose);
  // HDF5 has no strings of length 0; an empty one is a single NUL of padding.
  check_hdf5(H5Tset_size(type.id(), std::max<std::size_t>(value.size(), 1)), file, object,
             "H5Tset_size");
  check_hdf5(H5Tset_strpad(type.id(), H5T_STR_NULLPAD), file, object, "H5Tset_strpad");
  check_hdf5(H5Tset_cset(type.id(), H5T_CSET_UTF8), file, object, "H5Tset_cset");
  write_attribute(file, object, name, type.id(), value.empty() ? "" : value.data());
}

void write_int_attribute(const Hdf5File& file, const std::string& object, const std::string& name,
                         std::int64_t value) {
  write_attribute(file, object, name, H5T_STD_I64LE, &value);
}

void write_uint_attribute(const Hdf5File& file, const std::string& object, const std::string& name,
                          std::uint64_t value) {
  write_attribute(file, object, name, H5T_STD_U64LE, &value);
}

void write_real_attribute(const Hdf5File& file, const std::string& object, const std::string& name,
                          double value) {
  write_attribute(file, object, name, H5T_IEEE_F64LE, &value);
}

bool has_attribute(const Hdf5File& file, const std::string& object, const std::string& name) {
  return check_hdf5(H5Aexists_by_name(file.id(), object.c_str(), name.c_str(), H5P_DEFAULT), file,
                    object, "H5Aexists_by_name") > 0;
}

std::string read_string_attribute(const Hdf5File& file, const std::string& object,
                                  const std::string& name) {
  const std::string place = object + "@" + name;
  const Hdf5Handle attribute = open_attribute(file, object, name);
  const Hdf5Handle type = scalar_type(file, attribute, H5T_STRING, place);
  std::string value(H5Tget_size(type.id()), '\0');
  check_hdf5(H5Aread(attribute.id(), type.id(), value.data()), file, place, "H5Aread");
  value.resize(value.find_last_not_of('\0') + 1);
  return value;
}

std::int64_t read_int_attribute(const Hdf5File& file, const std::string& object,
                                const std::string& name) {
  return read_scalar<std::int64_t>(file, object, name, H5T_INTEGER, H5T_NATIVE_INT64);
}

std::uint64_t read_uint_attribute(const Hdf5File& file, const std::string& object,
                                  const std::string& name) {
  return read_scalar<std::uint64_t>(file, object, name, H5T_INTEGER, H5T_NATIVE_UINT64);
}

double read_real_attribute(const Hdf5File& file, const std::string& object,
                           const std::string& name) {
  return read_scalar<double>(file, object, name, H5T_FLOAT, H5T_NATIVE_DOUBLE);
}

std::vector<std::string> list_attributes(const Hdf5File& file, const std::string& object) {
  std::vector<std::string> names;
  check_hdf5(H5Aiterate_by_name(file.id(), object.c_str(), H5_INDEX_NAME, H5_ITER_INC, nullptr,
                                collect_attribute, &names, H5P_DEFAULT),
             file, object, "H5Aiterate_by_name");
  return names;
}

}  // namespace tofu
