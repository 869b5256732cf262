# Compiler-wide settings: one place for warnings, sanitizers, the compiler cache and the linker.

find_program(JIAOZI_CCACHE ccache)
if(JIAOZI_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${JIAOZI_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${JIAOZI_CCACHE})
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
