# Every library is a Debian 12 package; `./run` and `./test` install them. A missing one ends the
# configuration with the name of the package that has it.
function(parley_require name package)
    find_package(${name} ${ARGN} QUIET)
    if(NOT ${name}_FOUND)
        message(FATAL_ERROR "${name} was not found: install the Debian package ${package}")
    endif()
endfunction()

parley_require(Boost libboost-json1.81-dev 1.81 COMPONENTS json)
parley_require(OpenSSL libssl-dev 3.0)
parley_require(ZLIB zlib1g-dev)
parley_require(Threads libc6-dev)
parley_require(spdlog libspdlog-dev)
parley_require(tomlplusplus libtomlplusplus-dev)
find_path(PARLEY_CLI11_INCLUDE_DIR CLI/CLI.hpp)
if(NOT PARLEY_CLI11_INCLUDE_DIR)
    message(FATAL_ERROR "CLI11 was not found: install the Debian package libcli11-dev")
endif()
if(PARLEY_BUILD_TESTS)
    parley_require(GTest libgtest-dev)
endif()
if(PARLEY_BUILD_BENCH)
    parley_require(benchmark libbenchmark-dev)
endif()
# find_package() made these visible here only; the targets below this folder need them too.
foreach(target Boost::json Boost::headers OpenSSL::SSL OpenSSL::Crypto ZLIB::ZLIB Threads::Threads
               spdlog::spdlog tomlplusplus::tomlplusplus GTest::gtest GTest::gmock
               GTest::gtest_main GTest::gmock_main benchmark::benchmark
               benchmark::benchmark_main)
    if(TARGET ${target})
        set_target_properties(${target} PROPERTIES IMPORTED_GLOBAL TRUE)
    endif()
endforeach()
