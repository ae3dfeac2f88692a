# FlatBuffers headers and the flatc compiler (Debian libflatbuffers-dev, flatbuffers-compiler); header-only use.
find_path(FLATBUFFERS_INCLUDE_DIR flatbuffers/flatbuffers.h)
find_program(FLATC flatc)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(FlatBuffersTools REQUIRED_VARS FLATBUFFERS_INCLUDE_DIR FLATC)
if(FlatBuffersTools_FOUND AND NOT TARGET FlatBuffers::headers)
  add_library(FlatBuffers::headers INTERFACE IMPORTED)
  target_include_directories(FlatBuffers::headers SYSTEM INTERFACE ${FLATBUFFERS_INCLUDE_DIR})
endif()
