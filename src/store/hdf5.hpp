// HDF5 files, their groups and attributes under move-only handles. HDF5's own error printing is
// off: its innermost message becomes part of our Error, with the file and the object.
#pragma once

#include <hdf5.h>
#include <mpi.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace tofu {

// Lets HDF5 live as long as the process; to be called before MPI starts. By itself it closes what
// is still open when MPI ends: after a failed write (a full disk) that writes again, fails half-way
// on some ranks, and crashes or waits for the others for ever.
void keep_hdf5_until_exit();

// One HDF5 identifier (group, dataset, dataspace, datatype, property list, attribute), released by
// its destructor.
class Hdf5Handle {
 public:
  using Close = herr_t (*)(hid_t);

  Hdf5Handle() = default;
  Hdf5Handle(hid_t id, Close close) : id_(id), close_(close) {}
  Hdf5Handle(Hdf5Handle&& other) noexcept;
  Hdf5Handle& operator=(Hdf5Handle&& other) noexcept;
  ~Hdf5Handle();

  hid_t id() const { return id_; }

 private:
  hid_t id_ = H5I_INVALID_HID;
  Close close_ = nullptr;
};

// An open HDF5 file. With a communicator it is opened through MPI-IO by all its ranks: opening,
// closing, and whatever changes the file or looks into it is then collective over that
// communicator, with the same arguments on every rank. Without one (MPI_COMM_NULL) the file belongs
// to this process alone.
class Hdf5File {
 public:
  // A new file, in place of one that is there. Error{file_system}.
  static Hdf5File create(const std::filesystem::path& path, MPI_Comm communicator = MPI_COMM_NULL);
  // To read. Error{file_system} if it cannot be opened, Error{input_data} if it is not a whole HDF5
  // file.
  static Hdf5File open(const std::filesystem::path& path, MPI_Comm communicator = MPI_COMM_NULL);

  Hdf5File(Hdf5File&& other) noexcept;
  Hdf5File& operator=(Hdf5File&& other) noexcept;
  // Closes the file if it belongs to this process alone. A file of several ranks that was not
  // close()d (one rank is failing) stays open until MPI ends, as closing is collective.
  ~Hdf5File();

  // Flushes and closes. Collective. A file that was written is complete only after this.
  void close();

  hid_t id() const { return id_; }
  const std::filesystem::path& path() const { return path_; }
  MPI_Comm communicator() const { return communicator_; }

  // "PATH: OBJECT", for messages.
  std::string where(std::string_view object) const;
  // What a failed operation means: input_data for a file that is read, file_system for one that is
  // written.
  ErrorCategory failure_category() const;

 private:
  Hdf5File(std::filesystem::path path, MPI_Comm communicator, bool writable);

  hid_t id_ = H5I_INVALID_HID;
  std::filesystem::path path_;
  MPI_Comm communicator_;
  bool writable_;
};

// True if the file starts as an HDF5 file does. Error{file_system} if it cannot be read.
bool is_hdf5_file(const std::filesystem::path& path);

// Passes on what an HDF5 function returned. Throws an Error that names the object, the operation
// and HDF5's innermost message if it is negative.
template <typename Result>
Result check_hdf5(Result result, const Hdf5File& file, std::string_view object,
                  const char* operation);
[[noreturn]] void fail_hdf5(ErrorCategory category, const std::string& where,
                            const char* operation);

// True if there is a group or dataset of that path ("/splits/full").
bool has_object(const Hdf5File& file, const std::string& path);
// The names inside a group, sorted. Error{input_data} if there is no such group.
std::vector<std::string> list_children(const Hdf5File& file, const std::string& group);
// Makes the group and those above it.
void create_group(const Hdf5File& file, const std::string& group);

// Attributes of a group or dataset ("/" for the file). Reading one that is not there or has another
// type is Error{input_data}. Strings are UTF-8 without a NUL at the end.
void write_string_attribute(const Hdf5File& file, const std::string& object,
                            const std::string& name, std::string_view value);
void write_int_attribute(const Hdf5File& file, const std::string& object, const std::string& name,
                         std::int64_t value);
void write_uint_attribute(const Hdf5File& file, const std::string& object, const std::string& name,
                          std::uint64_t value);
void write_real_attribute(const Hdf5File& file, const std::string& object, const std::string& name,
                          double value);
bool has_attribute(const Hdf5File& file, const std::string& object, const std::string& name);
std::string read_string_attribute(const Hdf5File& file, const std::string& object,
                                  const std::string& name);
std::int64_t read_int_attribute(const Hdf5File& file, const std::string& object,
                                const std::string& name);
std::uint64_t read_uint_attribute(const Hdf5File& file, const std::string& object,
                                  const std::string& name);
double read_real_attribute(const Hdf5File& file, const std::string& object,
                           const std::string& name);
// The names of the attributes, sorted.
std::vector<std::string> list_attributes(const Hdf5File& file, const std::string& object);

template <typename Result>
Result check_hdf5(Result result, const Hdf5File& file, std::string_view object,
                  const char* operation) {
  if (result < 0) fail_hdf5(file.failure_category(), file.where(object), operation);
  return result;
}

}  // namespace tofu
