# graft_embed_text(<target> <header> <constant>=<file>[,<file>...] ...): files of the calling folder as std::string_view constants
# of a header that <target> may include. As a script (cmake -P) it writes that header.
if(CMAKE_SCRIPT_MODE_FILE)
  set(header "// Written by EmbedText.cmake.\n#pragma once\n\n#include <string_view>\n\nnamespace graft {\n\n")
  foreach(entry ${CONSTANTS})
    string(REGEX MATCH "^([^=]+)=(.*)$" matched "${entry}")
    set(name ${CMAKE_MATCH_1})
    string(REPLACE "," ";" files "${CMAKE_MATCH_2}")
    string(APPEND header "inline constexpr std::string_view ${name} =")
    foreach(file ${files})
      file(READ ${SOURCE_DIR}/${file} text)
      string(APPEND header "\n    R\"embed(${text})embed\"")
    endforeach()
    string(APPEND header ";\n\n")
  endforeach()
  file(WRITE ${HEADER} "${header}}  // namespace graft\n")
  return()
endif()

set(GRAFT_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_FILE})

function(graft_embed_text target header)
  set(generated_dir ${CMAKE_CURRENT_BINARY_DIR}/generated)
  string(REGEX REPLACE "[^=;]*=" "" files "${ARGN}")
  string(REPLACE "," ";" files "${files}")
  list(TRANSFORM files PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
  add_custom_command(
    OUTPUT ${generated_dir}/${header}
    COMMAND ${CMAKE_COMMAND} -D SOURCE_DIR=${CMAKE_CURRENT_SOURCE_DIR} -D HEADER=${generated_dir}/${header}
            "-DCONSTANTS=${ARGN}" -P ${GRAFT_EMBED_SCRIPT}
    DEPENDS ${files} ${GRAFT_EMBED_SCRIPT}
    VERBATIM
    COMMENT "embed ${header}")
  target_sources(${target} PRIVATE ${generated_dir}/${header})
  target_include_directories(${target} PRIVATE ${generated_dir})
endfunction()
