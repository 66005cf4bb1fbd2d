# How this project declares its libraries, tests and warnings.

add_library(tofu_options INTERFACE)
target_include_directories(tofu_options INTERFACE "${PROJECT_SOURCE_DIR}/src")
target_compile_options(tofu_options INTERFACE
  -fPIC -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 reports both inside std::string's own code where there is nothing wrong.
  target_compile_options(tofu_options INTERFACE -Wno-restrict -Wno-stringop-overflow)
endif()
# The C interface of MPI alone: the old C++ one would have to be linked too.
target_compile_definitions(tofu_options INTERFACE OMPI_SKIP_MPICXX MPICH_SKIP_MPICXX)
if(TOFU_MPI_SANITIZE)
  target_compile_options(tofu_options INTERFACE
    -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  target_link_options(tofu_options INTERFACE -fsanitize=address,undefined)
endif()

# Reading headers is what takes long in most files, so two precompiled headers serve all targets: one
# with libtorch's, one without. libtorch brings a newer fmt, as headers alone; without libtorch it is
# the distribution's library.
add_library(tofu_torch_headers OBJECT "${PROJECT_SOURCE_DIR}/cmake/torch_headers.cpp")
target_link_libraries(tofu_torch_headers PUBLIC tofu_options Libtorch::torch fmt::fmt)
target_compile_definitions(tofu_torch_headers PRIVATE FMT_HEADER_ONLY)
target_precompile_headers(tofu_torch_headers PRIVATE "${PROJECT_SOURCE_DIR}/cmake/torch_headers.hpp")
add_library(tofu_plain_headers OBJECT "${PROJECT_SOURCE_DIR}/cmake/plain_headers.cpp")
target_link_libraries(tofu_plain_headers PUBLIC tofu_options fmt::fmt nlohmann_json::nlohmann_json)
target_precompile_headers(tofu_plain_headers PRIVATE "${PROJECT_SOURCE_DIR}/cmake/plain_headers.hpp")

function(tofu_mpi_use_precompiled_headers name torch)
  if(torch)
    target_link_libraries(${name} PUBLIC Libtorch::torch)
    target_compile_definitions(${name} PRIVATE FMT_HEADER_ONLY)
    target_precompile_headers(${name} REUSE_FROM tofu_torch_headers)
  else()
    target_precompile_headers(${name} REUSE_FROM tofu_plain_headers)
  endif()
endfunction()

# tofu_mpi_library(NAME [TORCH] SOURCES ... [PUBLIC ...] [PRIVATE ...])
# TORCH: the sources include libtorch.
function(tofu_mpi_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "TORCH" "" "SOURCES;PUBLIC;PRIVATE")
  add_library(${name} STATIC ${arg_SOURCES})
  target_link_libraries(${name} PUBLIC tofu_options ${arg_PUBLIC} PRIVATE ${arg_PRIVATE})
  tofu_mpi_use_precompiled_headers(${name} ${arg_TORCH})
endfunction()

# tofu_mpi_test_binary(NAME [TORCH] [MPI] SOURCES ... LIBRARIES ...)
# MPI: the binary starts MPI itself and reports a failure of any rank with that rank's number.
function(tofu_mpi_test_binary name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "TORCH;MPI" "" "SOURCES;LIBRARIES")
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  target_compile_definitions(${name} PRIVATE TOFU_MPI_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PUBLIC tofu_options ${arg_LIBRARIES} GTest::gtest)
  if(arg_MPI)
    target_sources(${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests/support/mpi_main.cpp")
    target_link_libraries(${name} PUBLIC MPI::MPI_C)
  else()
    target_link_libraries(${name} PUBLIC GTest::gtest_main)
  endif()
  tofu_mpi_use_precompiled_headers(${name} ${arg_TORCH})
endfunction()

# tofu_mpi_test(BINARY FILTER PATTERN [NAME name] LABELS ... [RANKS n ...] [TIMEOUT seconds])
# One ctest entry BINARY.NAME for the suites that PATTERN selects; with RANKS one per rank count.
# Without NAME it is the letters and digits of PATTERN.
function(tofu_mpi_test binary)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "FILTER;NAME;TIMEOUT" "LABELS;RANKS")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  string(REGEX REPLACE "[^A-Za-z0-9]+" "" suite "${arg_FILTER}")
  if(arg_NAME)
    set(suite "${arg_NAME}")
  elseif(suite STREQUAL "")
    set(suite all)
  endif()
  set(environment "OMP_NUM_THREADS=1" "OMPI_ALLOW_RUN_AS_ROOT=1" "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"
      "UBSAN_OPTIONS=print_stacktrace=1"
      "LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/support/leaks.txt")
  if(NOT arg_RANKS)
    add_test(NAME ${binary}.${suite}
             COMMAND ${binary} --gtest_filter=${arg_FILTER} --gtest_brief=1)
    set_tests_properties(${binary}.${suite} PROPERTIES LABELS "${arg_LABELS}"
                         TIMEOUT ${arg_TIMEOUT} ENVIRONMENT "${environment}")
  endif()
  # Open MPI unloads its plugins before the leak checker looks, which then cannot name what leaked.
  list(APPEND environment "ASAN_OPTIONS=detect_leaks=0")
  foreach(ranks IN LISTS arg_RANKS)
    set(name "${binary}.${suite}.ranks${ranks}")
    add_test(NAME ${name}
             COMMAND ${MPIEXEC_EXECUTABLE} -np ${ranks} --bind-to none --oversubscribe
                     $<TARGET_FILE:${binary}> --gtest_filter=${arg_FILTER} --gtest_brief=1)
    set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT}
                         ENVIRONMENT "${environment}" PROCESSORS ${ranks})
  endforeach()
endfunction()
