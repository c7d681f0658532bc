add_library(parley_warnings INTERFACE)
target_compile_options(parley_warnings INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
    -Woverloaded-virtual -Wold-style-cast
    -Werror=return-type -Werror=switch -Werror=unused-result
    $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond -Wlogical-op>
    $<$<BOOL:$<TARGET_PROPERTY:UNITY_BUILD>>:-Wno-shadow$<SEMICOLON>-Wno-subobject-linkage>)
# GCC 12 raises these three falsely in optimised code: on temporaries of variants, on
# `"text" + std::to_string(n)`, and on intrusive pointers that are copied and let go in one function
# (GCC bugs 105329, 105593 and 104215).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    target_compile_options(parley_warnings INTERFACE -Wno-maybe-uninitialized -Wno-restrict
                           -Wno-use-after-free)
endif()
if(PARLEY_WERROR)
    target_compile_options(parley_warnings INTERFACE -Werror)
endif()
