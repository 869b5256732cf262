# Compiler-wide settings: one place for warnings, sanitizers, the compiler cache and the linker.

find_program(JIAOZI_CCACHE ccache)
if(JIAOZI_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Objects are found again whatever folder the checkout is in, and with precompiled headers.
  set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
    CCACHE_SLOPPINESS=pch_defines,time_macros ${JIAOZI_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_CXX_COMPILER_LAUNCHER})
endif()

find_program(JIAOZI_MOLD mold)
if(JIAOZI_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

find_package(Threads REQUIRED)

add_library(jz_options INTERFACE)
target_compile_options(jz_options INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports these from inside its own headers and from inlined library code; clang's build keeps watch.
  target_compile_options(jz_options INTERFACE -Wno-error=maybe-uninitialized -Wno-error=stringop-overflow
    -Wno-error=array-bounds -Wno-error=restrict -Wno-error=dangling-pointer -Wno-error=free-nonheap-object)
endif()
target_link_libraries(jz_options INTERFACE Threads::Threads)

if(JIAOZI_SANITIZE)
  add_compile_options(-fsanitize=${JIAOZI_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${JIAOZI_SANITIZE})
endif()
if(JIAOZI_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(JIAOZI_COVERAGE)
  add_compile_options(--coverage)
  add_link_options(--coverage)
endif()

# The carriers of the precompiled headers. Every target that reuses one is compiled with the same options.
if(JIAOZI_PCH)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fpch-preprocess>)  # or ccache would find nothing again
  else()
    add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -fno-pch-timestamp>")
  endif()
  file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/pch.cpp CONTENT "// Only here because a precompiled header belongs to a target with a source.\n")
  add_library(jz_pch STATIC ${CMAKE_BINARY_DIR}/pch.cpp)
  target_link_libraries(jz_pch PRIVATE jz_options)
  target_precompile_headers(jz_pch PRIVATE ${CMAKE_SOURCE_DIR}/cmake/pch/library.hpp)
  if(JIAOZI_TESTS)
    find_package(GTest REQUIRED)
    add_library(jz_pch_test STATIC ${CMAKE_BINARY_DIR}/pch.cpp)
    target_link_libraries(jz_pch_test PRIVATE jz_options GTest::gtest GTest::gmock)
    target_precompile_headers(jz_pch_test PRIVATE ${CMAKE_SOURCE_DIR}/cmake/pch/test.hpp)
  endif()
endif()

# jz_precompiled(TARGET [test]): lets a target use them.
function(jz_precompiled target)
  if(JIAOZI_PCH)
    if(ARGC GREATER 1)
      target_precompile_headers(${target} REUSE_FROM jz_pch_test)
    else()
      target_precompile_headers(${target} REUSE_FROM jz_pch)
    endif()
  endif()
endfunction()
