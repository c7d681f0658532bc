# One library a folder. A dependency that points back up the layers does not link.
function(parley_library name)
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS *.cpp)
    add_library(${name} STATIC ${sources})
    target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
    target_link_libraries(${name} PRIVATE parley_warnings PUBLIC ${ARGN})
endfunction()

# With PARLEY_UNITY the target is compiled eight files at a time, which takes a third of the time that
# one by one takes. It costs that names without linkage are one's own in the whole target, and the
# warnings that are about one file: those are raised by the builds without it.
function(parley_unity name)
    if(PARLEY_UNITY)
        set_target_properties(${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
    endif()
endfunction()

# What is tested as it is released, beside the programs themselves: all but what looks at one unit.
add_custom_target(released)

# Every x_test.cpp of the folder in one program; who calls it says how it is run.
function(parley_test_program name)
    file(GLOB sources CONFIGURE_DEPENDS *_test.cpp)
    add_executable(${name} ${sources})
    parley_unity(${name})
    target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/tests)
    target_link_libraries(${name} PRIVATE parley_warnings ${ARGN} GTest::gmock GTest::gtest_main)
    # What is tested is optimised; the tests themselves would take most of a build's time.
    target_compile_options(${name} PRIVATE -Og)
    target_precompile_headers(${name} PRIVATE <gmock/gmock.h> <gtest/gtest.h>)
    # GCC 12 raises them falsely on `"text" + std::to_string(n)`, which tests are full of (bug 105329).
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
        target_compile_options(${name} PRIVATE -Wno-stringop-overflow -Wno-array-bounds)
    endif()
endfunction()

# The same, known to ctest under the given label as two halves that run at once. Whole programs: to
# start one for each TEST takes longer than most of them do. One alone: NAME --gtest_filter=TEST.
function(parley_tests name label)
    parley_test_program(${name} ${ARGN})
    foreach(half RANGE 1)
        add_test(NAME ${name}.${half} COMMAND ${name} --gtest_brief=1)
        set_tests_properties(${name}.${half} PROPERTIES LABELS ${label} TIMEOUT 300
            ENVIRONMENT "GTEST_TOTAL_SHARDS=2;GTEST_SHARD_INDEX=${half}")
    endforeach()
    if(NOT label MATCHES "^(unit|sim)$")
        add_dependencies(released ${name})
    endif()
endfunction()

# Every x_bench.cpp of the folder in one Google Benchmark program.
function(parley_benchmarks name)
    file(GLOB sources CONFIGURE_DEPENDS *_bench.cpp)
    if(NOT sources)
        return()
    endif()
    add_executable(${name} ${sources})
    target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/tests)
    target_link_libraries(${name} PRIVATE parley_warnings ${ARGN} benchmark::benchmark_main)
    add_dependencies(released ${name})
endfunction()
