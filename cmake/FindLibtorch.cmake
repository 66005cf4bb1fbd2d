# Finds libtorch in the layout of the wheel and of the libtorch archive alike: a folder with
# include/ and lib/. Torch's own package file is not used: it insists on a CUDA compiler, which
# nothing here needs (the CUDA runtime and NCCL headers come beside the wheel).
#
# Reads:  TOFU_MPI_TORCH_ROOT, the environment's TOFU_MPI_TORCH_ROOT and TOFU_MPI_DEPS
# Gives:  the target Libtorch::torch; Libtorch_CUDA (whether it was built with CUDA) and then
#         Libtorch::nccl

set(_deps "$ENV{TOFU_MPI_DEPS}")
if(NOT _deps)
  if(DEFINED ENV{XDG_CACHE_HOME})
    set(_deps "$ENV{XDG_CACHE_HOME}/tofu_mpi")
  else()
    set(_deps "$ENV{HOME}/.cache/tofu_mpi")
  endif()
endif()
find_path(Libtorch_ROOT_DIR NAMES include/ATen/ATen.h
          HINTS "${TOFU_MPI_TORCH_ROOT}" "$ENV{TOFU_MPI_TORCH_ROOT}" "${_deps}/torch-2.11.0/torch"
          NO_DEFAULT_PATH)
find_path(Libtorch_ROOT_DIR NAMES include/ATen/ATen.h)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Libtorch REQUIRED_VARS Libtorch_ROOT_DIR
  REASON_FAILURE_MESSAGE "run scripts/setup.sh, or set TOFU_MPI_TORCH_ROOT to the folder that holds libtorch's include/ and lib/")

if(Libtorch_FOUND AND NOT TARGET Libtorch::torch)
  set(_lib "${Libtorch_ROOT_DIR}/lib")
  get_filename_component(_site "${Libtorch_ROOT_DIR}" DIRECTORY)
  add_library(Libtorch::torch INTERFACE IMPORTED)
  target_include_directories(Libtorch::torch SYSTEM INTERFACE
    "${Libtorch_ROOT_DIR}/include" "${Libtorch_ROOT_DIR}/include/torch/csrc/api/include")
  set(_libraries "${_lib}/libtorch_cpu.so" "${_lib}/libc10.so")
  set(Libtorch_CUDA OFF)
  find_path(Libtorch_NCCL_INCLUDE nccl.h
            HINTS "${_site}/nvidia/nccl/include" "$ENV{NCCL_ROOT}/include")
  find_library(Libtorch_NCCL_LIBRARY NAMES nccl libnccl.so.2
               HINTS "${_site}/nvidia/nccl/lib" "$ENV{NCCL_ROOT}/lib")
  find_path(Libtorch_CUDART_INCLUDE cuda_runtime_api.h
            HINTS "${_site}/nvidia/cu13/include" "$ENV{CUDA_HOME}/include"
                  /usr/local/cuda/include)
  find_library(Libtorch_CUDART_LIBRARY NAMES libcudart.so.13 cudart
               HINTS "${_site}/nvidia/cu13/lib" "$ENV{CUDA_HOME}/lib64" /usr/local/cuda/lib64)
  if(EXISTS "${_lib}/libtorch_cuda.so" AND Libtorch_NCCL_INCLUDE AND Libtorch_NCCL_LIBRARY
     AND Libtorch_CUDART_INCLUDE AND Libtorch_CUDART_LIBRARY)
    set(Libtorch_CUDA ON)
    # libtorch registers its CUDA kernels when loaded, so the link must not drop it as unused.
    list(PREPEND _libraries "-Wl,--no-as-needed" "${_lib}/libtorch_cuda.so"
                            "${_lib}/libc10_cuda.so" "-Wl,--as-needed")
    add_library(Libtorch::nccl INTERFACE IMPORTED)
    target_include_directories(Libtorch::nccl SYSTEM INTERFACE
      "${Libtorch_NCCL_INCLUDE}" "${Libtorch_CUDART_INCLUDE}")
    target_link_libraries(Libtorch::nccl INTERFACE
      "${Libtorch_NCCL_LIBRARY}" "${Libtorch_CUDART_LIBRARY}")
  endif()
  target_link_libraries(Libtorch::torch INTERFACE ${_libraries})
  message(STATUS "libtorch: ${Libtorch_ROOT_DIR} (CUDA and NCCL: ${Libtorch_CUDA})")
endif()
